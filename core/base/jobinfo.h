/* jobinfo.h - the file in which the prolog of a batch system says which job runs on a node, and its epilog that it ended.
 *
 *	JOB_ID=1001
 *	JOB_APP_ID=0
 *	JOB_USER_ID=1000
 *	JOB_STATUS=1
 *	JOB_START=1795187234
 *	JOB_END=0
 *	JOB_EXIT=0
 *	JOB_USER="alice"
 *	JOB_NAME="sleepy"
 *
 * Lines of other names are passed over; what is missing is 0 or empty.
 */
#ifndef CORE_BASE_JOBINFO_H
#define CORE_BASE_JOBINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"

#define JOBINFO_PATH_DFLT "/var/run/ldms_jobinfo.data"
#define JOBINFO_PATH_ENV  "LDMS_JOBINFO_DATA_FILE"
#define JOBINFO_TEXT_SIZE 256 /* bytes of a text, with its NUL; longer ones are cut */

enum jobinfo_status { JOBINFO_STATUS_NONE, JOBINFO_STATUS_RUNS, JOBINFO_STATUS_ENDED };

struct jobinfo {
	uint64_t job_id, app_id, user_id, status, start_s, end_s, exit_status;
	char user[JOBINFO_TEXT_SIZE], name[JOBINFO_TEXT_SIZE];
};

/* Where the file is unless somebody says otherwise: what the environment says, or JOBINFO_PATH_DFLT. */
const char *jobinfo_path(void);
/* Take what the text of a file says; -EINVAL with words about a line whose number is none.  *ret is untouched then. */
int jobinfo_parse(struct jobinfo *ret, const char *text, struct err *err);
/* Replace the file: who reads it sees the one or the other, never a part. */
int jobinfo_write(const char *path, const struct jobinfo *ji, struct err *err);

#endif
