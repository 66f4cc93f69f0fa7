/* lustre2_keys.h - what lustre2_client reads from each kind of source */
#ifndef PLUGINS_LUSTRE2_KEYS_H
#define PLUGINS_LUSTRE2_KEYS_H

extern const char *const lustre2_rpc_keys[];   /* osc and mdc; all of these are ended by NULL */
extern const char *const lustre2_llite_keys[]; /* llite */
extern const char *const lustre2_llite_rates[], *const lustre2_no_rates[]; /* those of which there is a rate as well */

#endif
