/* When the sender of a signal gets its acknowledgement. */
#ifndef SIGNAL_ACK_LEVEL_H
#define SIGNAL_ACK_LEVEL_H

/* In the directory's snapshot: never renumber. */
enum ack_level {
	ACK_LEVEL_INHERIT = 0,	 /* a site: as the listener has it */
	ACK_LEVEL_LOCAL = 1,	 /* it is on stable storage here */
	ACK_LEVEL_DELIVERED = 2, /* and settled: what it led to has ended */
};

/* "delivered"; never NULL */
const char *ack_level_name(enum ack_level level);

#endif
