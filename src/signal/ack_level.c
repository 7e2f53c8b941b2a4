#include "signal/ack_level.h"

const char *
ack_level_name(enum ack_level level)
{
	switch (level) {
	case ACK_LEVEL_INHERIT:
		return "inherit";
	case ACK_LEVEL_LOCAL:
		return "local";
	case ACK_LEVEL_DELIVERED:
		return "delivered";
	}
	return "unknown";
}
