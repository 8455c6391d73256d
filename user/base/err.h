/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One explanation of a failure, made where the cause is known, printed only in cmd/.
 *
 * Functions return 0 or -errno; the text travels beside the number in a struct err that the caller
 * owns. Messages are lower case, say first what failed, and quote their subject.
 */
#ifndef GALLOP_BASE_ERR_H
#define GALLOP_BASE_ERR_H

struct err {
	int code; /* what was returned: 0 or -errno */
	char msg[400]; /* "cannot open 'x': no such file or directory" */
	char hint[240]; /* what to do about it; may be empty */
};

/* Exit statuses of the command line. */
enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_FAILURE = 1,
	EXIT_STATUS_USAGE = 2,
	EXIT_STATUS_TARGET = 3, /* target not found, or not a Go program */
	EXIT_STATUS_PERMISSION = 4,
	EXIT_STATUS_UNSUPPORTED = 5, /* this kernel, architecture or Go version */
	EXIT_STATUS_INCOMPLETE = 6, /* with --strict: something was lost */
};

/* Set the explanation and return `code`, so a caller can `return err_set(err, -ENOENT, ...)`. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put "context: " in front of the explanation; returns err->code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Say what to do about it. */
void err_hint(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * The exit status for a code: -ESRCH and -ENOEXEC mean the target, -EPERM and -EACCES permission,
 * -ENOTSUP not supported here, -EINVAL usage; all else is a plain failure.
 */
enum exit_status err_exit_status(int code);

#endif
