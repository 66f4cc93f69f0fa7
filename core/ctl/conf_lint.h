/* conf_lint.h - what conf_lint.c (objects) and conf_lint_words.c (words) share. */
#ifndef CORE_CTL_CONF_LINT_H
#define CORE_CTL_CONF_LINT_H

#include "core/ctl/conf_impl.h"

/* A warning at an attribute of a command, or (NULL) at its verb. */
void conf_lint_warn(struct conf *cf, const struct cmd *cmd, const char *attr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Quotes, ${, what is given twice. */
void conf_lint_words(struct conf *cf, const struct cmd *cmd);
/* Intervals of microseconds, and of weeks. */
void conf_lint_times(struct conf *cf, const struct cmd *cmd);
/* Settings of which the first counts. */
void conf_lint_settings(struct conf *cf);
/* The same peer under two names is collected twice; and, if `resolve`, hosts that nobody knows. */
void conf_lint_hosts(struct conf *cf, bool resolve);

#endif
