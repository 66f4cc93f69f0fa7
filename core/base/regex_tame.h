/* regex_tame.h - is a peer's regular expression harmless?
 *
 * The C library turns an expression into a tree in which every repetition is written out: "a{9}" has nine a's, "a+"
 * two, and repetitions of repetitions multiply, so that forty "+" in a row take all the memory there is.  And what "\1"
 * matches is searched for in exponential time.  Those who may write expressions are not all those who may do that.
 */
#ifndef CORE_BASE_REGEX_TAME_H
#define CORE_BASE_REGEX_TAME_H

#include <stdbool.h>

bool regex_is_tame(const char *re);

#endif
