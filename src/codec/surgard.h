/*
 * Sur-Gard MLR2 (1-character line) and MLR2000 / System III (3-character
 * line) automation output, both ways. Messages end in DC4 (14h).
 *
 *   5RRLs18AAAAQXYZGGCCC            Contact ID
 *   3RRLssssAAAAAAXXYYYY            SIA protocol 1
 *   SRRL[#AAAA|Nxxyy]               SIA block form
 *   1RRL + 11 spaces + @ + 4 spaces heartbeat
 *   1RRL.. 6RRL.. 8RRL.. 9RRL..     pulse, BFSK, high speed, Acron
 *   4RRL..                          caller id: codec/surgard_panel.h
 *
 * With the clock option HH:MM:SS-dd/mm stands before the DC4 of an event.
 */
#ifndef CODEC_SURGARD_H
#define CODEC_SURGARD_H

#include "codec/codec.h"
#include "signal/delivery.h"
#include "signal/signal.h"

#define SURGARD_TERMINATOR  '\x14'
#define SURGARD_MESSAGE_MAX 200 /* longer without DC4: not Sur-Gard */

/* Four characters for the account are few. Split, the account takes the line
 * field along, every account at that receiver: two forms, for the published
 * ones contradict each other. */
enum surgard_account {
	SURGARD_ACCOUNT_WHOLE,	     /* a longer one is refused */
	SURGARD_ACCOUNT_SPLIT_FRONT, /* A231234: line A23, account 1234 */
	SURGARD_ACCOUNT_SPLIT_BACK,  /* 1234A23: likewise */
};

struct surgard_settings {
	char receiver[3];    /* "01".. two digits */
	char line[4];	     /* one character or three digits, by line_digits */
	uint8_t line_digits; /* 1 or 3 */
	bool sia_block;	     /* SIA as S-block instead of protocol 1 */
	bool clock;	     /* when it was received, in UTC */
	enum surgard_account account;
};

/*
 * The message of a delivery with its DC4; returns the length, or -EINVAL with
 * *ret_problem (static) when an account, line card, partition, zone or user has
 * no room: it is never cut. A split account is filled with zeros, before it to
 * the front, to four characters and then behind it to the back; a line card has
 * no room beside it. Without a zone the user takes its place. Contact ID
 * and SIA protocol 1 carry no text, SIA protocol 1 no partition either. The
 * block form carries the text whole, its structural characters as spaces (see
 * sia_encode), or goes without it where it has no room: a remark never holds
 * up its event. out: SURGARD_MESSAGE_MAX.
 */
int surgard_encode(const struct surgard_settings *settings,
    const struct delivery *delivery, char *out, const char **ret_problem);
int surgard_heartbeat_encode(const struct surgard_settings *settings,
    char *out);

/*
 * The first message in data (up to and with DC4). poll is set for a heartbeat.
 * line_digits 1 or 3. CODEC_BAD: skip *ret_consumed.
 */
enum codec_result surgard_decode(const char *data, size_t length,
    unsigned line_digits, size_t *ret_consumed, struct signal *ret);

#endif
