/* spec_tree_impl.h - what spec_tree.c and spec_subst.c share */
#ifndef CORE_CLUSTER_SPEC_TREE_IMPL_H
#define CORE_CLUSTER_SPEC_TREE_IMPL_H

#include <uthash.h>

#include "core/cluster/spec_tree.h"

/* A value that some reference stands for.  By its place in the file: all copies of a template's member are one. */
struct used {
	const struct yaml_node *from;
	UT_hash_handle hh;
};

struct spec_tree {
	char *file;
	struct yaml *yaml;
	const struct yaml_node *templates; /* or NULL */
	struct snode *root;
	size_t values;     /* in the tree so far */
	size_t text_bytes; /* in replaced texts so far */
	struct used *used;
};

/* Replace what all texts of the tree refer to. */
int spec_subst(struct spec_tree *t, struct snode *n, struct err *err);

#endif
