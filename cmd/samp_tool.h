/* samp_tool.h - what `ldms samp` does beside being a daemon: list the samplers, explain one, print one sample. */
#ifndef CMD_SAMP_TOOL_H
#define CMD_SAMP_TOOL_H

#include "cmd/daemon_opts.h"

/* All samplers of this program, and whether there is something for each on this node. */
int samp_tool_list(const char *root, bool json);
/* Add those to o->samp that make sense on this node and need no attributes.  -ENOENT when there are none. */
int samp_tool_auto(struct daemon_opts *o, struct err *err);

/* Operands: names of samplers (or shared objects: with a slash), each with the attributes that follow it.  They return
 * the exit status. */
int samp_tool_once(const struct daemon_opts *o, char **words);
int samp_tool_help(const struct daemon_opts *o, char **words);

/* Is there a sampler of that name in this program? */
bool samp_tool_is(const char *name);
/* How large the sets of one are on this node, after a sample: bytes of all of them. */
struct samp_sizes {
	unsigned int n;
	size_t data, image;
};
int samp_tool_sizes(const char *name, struct samp_sizes *ret, struct err *err);

#endif
