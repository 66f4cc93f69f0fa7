/* value_text.h - one value as text, in the words of `ldms ls -l`.
 *
 *	char        'L'
 *	char[]      "text"
 *	u8[]        0x4c,0x00
 *	arrays      76,-1                numbers in decimal, f32 and d64 with six decimals
 *	timestamp   1795187834.002058
 *	list<>      [0,1,2]              and a line end behind each, as ldms_ls writes them; an array in a list has
 *	            [[1,2],[3]]          brackets of its own
 *	            [5,{name="cpu",n=1}] a record among others
 *
 * Records that are all of one type, in a list or in a record[], are a table: a new line begins, a row of names with
 * units, a row for each record, every column as wide as its widest cell; the last row's line is not ended.
 */
#ifndef CORE_SET_VALUE_TEXT_H
#define CORE_SET_VALUE_TEXT_H

#include "core/base/buf.h"
#include "core/set/image.h"

/* Append the text of `v`, a value of that image. */
void value_text_put(struct buf *to, const struct image *im, struct value v);

#endif
