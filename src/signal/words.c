#include "signal/words.h"

#define NOT_KNOWN "not known to this version"

const char *
verdict_words(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_ROUTED:
		return "it goes to the stations that are named";
	case VERDICT_DELIVERED:
		return "every station that it went to has acknowledged";
	case VERDICT_SUPPRESSED:
		return "it is kept here and goes to no station";
	case VERDICT_CANCELLED:
		return "it waited, and was called off before it went out";
	case VERDICT_REPEAT:
		return "it came before and goes out once";
	case VERDICT_ON_TEST:
		return "its site is on test and holds it back";
	case VERDICT_UNROUTED:
		return "there is no station that it could go to";
	case VERDICT_NO_RECEIVER:
		return "its station record has no receiver to reach it by";
	case VERDICT_SITE_INACTIVE:
		return "its site is deactivated: it is logged only";
	case VERDICT_UNREGISTERED:
		return "who sent it belongs to no site";
	case VERDICT_UNKNOWN_ACCOUNT:
		return "nobody signals with this account";
	case VERDICT_PARKED:
		return "it is set aside for an operator";
	case VERDICT_WAITING:
		return "it waits and is decided again";
	}
	return NOT_KNOWN;
}

const char *
decision_flag_words(enum decision_flag flag)
{
	switch (flag) {
	case DECISION_UNMAPPED_ZONE:
		return "no channel knows its zone: the code is as received";
	case DECISION_PASS_THROUGH:
		return "a panel decided it: no zone is looked up";
	case DECISION_CONCLUDES:
		return "it had waited, and this is the end of it";
	case DECISION_RUNAWAY:
		return "its sender runs away: it is in the summary";
	}
	return NOT_KNOWN;
}

const char *
outcome_words(enum outcome_state state)
{
	switch (state) {
	case OUTCOME_DELIVERED:
		return "the station has acknowledged it";
	case OUTCOME_PARKED:
		return "it could not be delivered and is set aside for an operator";
	case OUTCOME_REQUEUED:
		return "an operator sent it once more";
	case OUTCOME_SKIPPED:
		return "an operator gave it up";
	}
	return NOT_KNOWN;
}
