/*
 * SIA event blocks (DC-03), as they stand between the brackets of DC-09
 * SIA-DCS, Sur-Gard's block form and D6500:
 *
 *   Nri1/BA5^text^/BR5|Atext
 *
 * A block begins with its function letter; packets are separated by '/';
 * lower-case pairs are modifiers and act on every later packet.
 */
#ifndef CODEC_SIA_H
#define CODEC_SIA_H

#include "codec/codec.h"
#include "signal/signal.h"

/*
 * Append the events of these blocks to the signal, whose event_count is set
 * already. CODEC_BAD with *ret_problem (static): no event, more than
 * SIGNAL_EVENTS_MAX, or a packet that is none. The slices borrow blocks.
 */
enum codec_result sia_decode(struct slice blocks, struct signal *signal,
    const char **ret_problem);

/* "N" + modifiers + code + address + "^text^". The length, or -ENAMETOOLONG /
 * -EINVAL with *ret_problem. Characters of the text that mean structure
 * (^ | [ ] and controls) are written as a space: a remark never holds up its
 * event. No NUL is written. */
int sia_encode(const struct signal_event *event, char *out, size_t out_size,
    const char **ret_problem);

#endif
