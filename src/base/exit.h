/* Exit statuses of every program here (sysexits, plus 0). */
#ifndef BASE_EXIT_H
#define BASE_EXIT_H

enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_FAILED = 1, /* a check that was asked for did not hold */
	EXIT_STATUS_USAGE = 64,
	EXIT_STATUS_UNAVAILABLE = 69,
	EXIT_STATUS_SOFTWARE = 70,
	EXIT_STATUS_CANNOT_CREATE = 73,
	EXIT_STATUS_NO_PERMISSION = 77,
	EXIT_STATUS_CONFIG = 78,
};

#endif
