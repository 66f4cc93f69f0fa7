/* background.h - going on in the background, as a process of its own session, once all is up.
 *
 * The process that was started waits until then, so that what goes wrong at the start is seen in its exit status and on
 * its standard error.
 */
#ifndef CMD_BACKGROUND_H
#define CMD_BACKGROUND_H

#include "core/base/err.h"

/* Returns in the child, with what it owes its parent in *ret_parent; no threads may run yet.  In the parent it does not
 * return: that ends with 0 at background_ready(), and with 1 when the child ends without. */
int background_begin(int *ret_parent, struct err *err);
/* All is up: let go of the terminal and of the parent. */
void background_ready(int *parent);

#endif
