/* yaml.c - the tree of a YAML document: places, anchors, merges, and files that contain themselves */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "core/base/yaml.h"

static struct yaml *parse(const char *text, const struct yaml_node **root)
{
	unsigned int line = 0, col = 0;
	struct err err = { "" };
	struct yaml *y = NULL;

	if (yaml_tree_parse(text, strlen(text), &y, root, &line, &col, &err))
		fail_msg("%u:%u: %s", line, col, err.msg);
	return y;
}

static void refuse(const char *text, unsigned int want_line)
{
	const struct yaml_node *root;
	unsigned int line = 0, col = 0;
	struct err err = { "" };
	struct yaml *y = NULL;

	assert_true(yaml_tree_parse(text, strlen(text), &y, &root, &line, &col, &err) < 0);
	assert_null(y);
	assert_true(*err.msg);
	assert_int_equal(line, want_line);
}

static void test_tree(void **state)
{
	const struct yaml_node *root, *n;
	struct yaml *y = parse("a: 1\nb:\n  - x\n  - \"y\"\nc: {d: null, e: ~, f: }\n", &root);

	(void)state;
	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(root->n, 3);
	n = yaml_get(root, "b");
	assert_int_equal(n->kind, YAML_LIST);
	assert_int_equal(n->n, 2);
	assert_string_equal(n->values[1]->text, "y");
	assert_int_equal(n->values[1]->line, 4);
	assert_int_equal(n->values[1]->col, 5);
	assert_true(n->values[0]->plain);
	assert_false(n->values[1]->plain);
	n = yaml_get(root, "c");
	assert_null(yaml_get(n, "d"));
	assert_null(yaml_get(n, "e"));
	assert_null(yaml_get(n, "f"));
	assert_null(yaml_get(n, "nothing"));
	assert_null(yaml_get(yaml_get(root, "a"), "b"));
	yaml_tree_free(y);
}

static void test_anchors_and_merges(void **state)
{
	const struct yaml_node *root, *n;
	struct yaml *y = parse("a: &a {x: 1, y: 2}\nb: &b {<<: *a, y: 3}\nc: {<<: [*b, {z: 4, x: 9}], w: 5}\nd: *a\n", &root);

	(void)state;
	assert_ptr_equal(yaml_get(root, "d"), yaml_get(root, "a"));
	n = yaml_get(root, "b");
	assert_string_equal(yaml_get(n, "x")->text, "1");
	assert_string_equal(yaml_get(n, "y")->text, "3");
	assert_null(yaml_get(n, "<<"));
	n = yaml_get(root, "c");
	assert_int_equal(n->n, 4);
	assert_string_equal(yaml_get(n, "x")->text, "1"); /* the first counts */
	assert_string_equal(yaml_get(n, "y")->text, "3");
	assert_string_equal(yaml_get(n, "z")->text, "4");
	yaml_tree_free(y);
}

static void test_odd(void **state)
{
	const struct yaml_node *root;
	struct yaml *y;

	(void)state;
	yaml_tree_free(parse("", &root));
	assert_null(root);
	yaml_tree_free(parse("# nothing\n", &root));
	y = parse("a: &a [*a, *a]\n", &root); /* contains itself; who walks it stops */
	assert_ptr_equal(yaml_get(root, "a")->values[0], yaml_get(root, "a"));
	yaml_tree_free(y);
	refuse("a: [1,\nb: }\n", 2);
	refuse("a: *nobody\n", 1);
	refuse("a: 1\n\tb: 2\n", 2);
	refuse("a: 1\nb: {<<: 3}\n", 2);
	refuse("&a {<<: *a}\n", 1);
	refuse("a:\n  x: 1\n  y: 2\n  x: 3\n", 4); /* which of them? */
	refuse("a: &a {x: 1}\nb:\n  <<: *a\n  x: 2\n  'x': 2\n", 5);
	yaml_tree_free(parse("a: &a {x: 1}\nb: &b {x: 2}\nc: {<<: *a, <<: *b, x: 3}\n", &root));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_anchors_and_merges),
		cmocka_unit_test(test_odd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
