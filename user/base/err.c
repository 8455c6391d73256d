/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	err->code = code;
	err->hint[0] = '\0';

	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	return code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char inner[sizeof(err->msg)];
	memcpy(inner, err->msg, sizeof(inner));

	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->msg))
		snprintf(err->msg + n, sizeof(err->msg) - (size_t)n, ": %s", inner);
	return err->code;
}

void err_hint(struct err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof(err->hint), fmt, ap);
	va_end(ap);
}

enum exit_status err_exit_status(int code)
{
	switch (code) {
	case 0:
		return EXIT_STATUS_OK;
	case -ESRCH:
	case -ENOEXEC:
		return EXIT_STATUS_TARGET;
	case -EPERM:
	case -EACCES:
		return EXIT_STATUS_PERMISSION;
	case -ENOTSUP:
		return EXIT_STATUS_UNSUPPORTED;
	case -EINVAL:
		return EXIT_STATUS_USAGE;
	default:
		return EXIT_STATUS_FAILURE;
	}
}
