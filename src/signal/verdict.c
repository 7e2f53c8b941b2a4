#include "signal/verdict.h"
#include "signal/delivery.h"

const char *
verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ROUTED:
		return "routed";
	case VERDICT_DELIVERED:
		return "delivered";
	case VERDICT_SUPPRESSED:
		return "suppressed";
	case VERDICT_CANCELLED:
		return "cancelled";
	case VERDICT_REPEAT:
		return "repeat";
	case VERDICT_ON_TEST:
		return "on_test";
	case VERDICT_UNROUTED:
		return "unrouted";
	case VERDICT_NO_RECEIVER:
		return "no_receiver";
	case VERDICT_SITE_INACTIVE:
		return "site_inactive";
	case VERDICT_UNREGISTERED:
		return "unregistered";
	case VERDICT_UNKNOWN_ACCOUNT:
		return "unknown_account";
	case VERDICT_PARKED:
		return "parked";
	case VERDICT_WAITING:
		return "waiting";
	}
	return "unknown";
}

const char *
outcome_state_name(enum outcome_state state)
{
	switch (state) {
	case OUTCOME_DELIVERED:
		return "delivered";
	case OUTCOME_PARKED:
		return "parked";
	case OUTCOME_REQUEUED:
		return "requeued";
	case OUTCOME_SKIPPED:
		return "skipped";
	}
	return "unknown";
}
