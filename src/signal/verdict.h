/* Where an event ended. In the journal and in PostgreSQL: never renumber. */
#ifndef SIGNAL_VERDICT_H
#define SIGNAL_VERDICT_H

enum verdict {
	VERDICT_ROUTED = 1,	/* deliveries decided, none finished yet */
	VERDICT_DELIVERED = 2,	/* acknowledged by every receiver it went to */
	VERDICT_SUPPRESSED = 3, /* the alarm library disables it */
	VERDICT_CANCELLED = 4,
	VERDICT_REPEAT = 5, /* the same message again: delivered once */
	VERDICT_ON_TEST = 6,
	VERDICT_UNROUTED = 7,	 /* the site names no station */
	VERDICT_NO_RECEIVER = 8, /* its station record has no receiver */
	VERDICT_SITE_INACTIVE = 9,
	VERDICT_UNREGISTERED = 10, /* the bridge belongs to no site */
	VERDICT_UNKNOWN_ACCOUNT = 11,
	VERDICT_PARKED = 12,  /* set aside for an operator, with the reason */
	VERDICT_WAITING = 13, /* decided again later, with the reason */
};
#define VERDICT_LAST VERDICT_WAITING

/* "unknown_account"; never NULL */
const char *verdict_name(enum verdict verdict);

#endif
