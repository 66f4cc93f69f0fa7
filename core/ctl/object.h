/* object.h - who may change the objects that verbs name. */
#ifndef CORE_CTL_OBJECT_H
#define CORE_CTL_OBJECT_H

#include "core/ctl/verb.h"

/* May who asks change the objects that the verb (VERB_PRDCR, ...) is about?  -EACCES when there is one that he may not;
 * 0 also when there is none: that is the handler's to say. */
int object_check(const struct ctl *c, struct err *err);
/* The name of an object of the verb's kind (plugins, where it has none) that was most likely meant; or NULL. */
const char *object_nearest(const struct daemon *d, const struct verb *v, const char *name);

#endif
