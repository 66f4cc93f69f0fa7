/* graph.h - a plan as a picture: who collects from whom, as a tree of text or in the language of graphviz. */
#ifndef CORE_MAESTRO_GRAPH_H
#define CORE_MAESTRO_GRAPH_H

#include "core/maestro/share.h"

void graph_text(const struct plan *p, const struct share *s, struct buf *to);
void graph_dot(const struct plan *p, const struct share *s, struct buf *to);

#endif
