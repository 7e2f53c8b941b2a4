/*
 * What receivers say towards automation software (Sur-Gard, Ademco 685,
 * D6500), taken as input: a table of protocols, one message at a time on a
 * connection, one byte as its answer.
 */
#ifndef INGRESS_AUTOMATION_INPUT_H
#define INGRESS_AUTOMATION_INPUT_H

#include "codec/codec.h"
#include "ingress/frame.h"

/* The first message in data as the listener's protocol has it; *ret_consumed as
 * surgard_decode. */
enum codec_result automation_input_decode(const struct frame_origin *origin,
    struct slice data, size_t *ret_consumed, struct signal *ret);
/* A sound one: 0, or -EAGAIN as frame_handle. It may close the session. */
int automation_input_handle(const struct frame_origin *origin,
    struct slice message, const struct signal *signal);
/* What made no sound message. Refused where it has the end of one: the receiver
 * sends it again. */
void automation_input_bad(const struct frame_origin *origin,
    struct slice bytes);

#endif
