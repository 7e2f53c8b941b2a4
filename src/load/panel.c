#include "load/panel.h"

#define SEQUENCE_LAST 9999

static struct flight *
next_flight(struct panel *panel)
{
	struct flight *flight = panel_flight(panel, panel->tail++);

	panel->sequence =
	    panel->sequence == SEQUENCE_LAST ? 1 : panel->sequence + 1;
	*flight = (struct flight){ .message.sequence = panel->sequence };
	return flight;
}

struct flight *
panel_next_signal(struct panel *panel, unsigned panels)
{
	struct flight *flight = next_flight(panel);

	flight->message.account =
	    panel->index + panels * (panel->made % panel->account_count);
	flight->message.n = panel->made / panel->account_count;
	panel->made++;
	panel->since_link_test++;
	return flight;
}

struct flight *
panel_next_link_test(struct panel *panel)
{
	struct flight *flight = next_flight(panel);

	flight->message.account = panel->index;
	flight->message.link_test = true;
	panel->since_link_test = 0;
	return flight;
}

struct flight *
panel_find(const struct panel *panel, struct frame_maker *maker,
    const struct signal *reply)
{
	unsigned long sequence;

	if (slice_to_number(reply->sequence, 10, &sequence) < 0)
		return NULL;
	for (uint64_t n = panel->head; n != panel->tail; n++) {
		struct flight *flight = panel_flight(panel, n);

		if (!flight->done && flight->message.sequence == sequence &&
		    frame_matches(maker, &flight->message, reply))
			return flight;
	}
	return NULL;
}

void
panel_finish(struct panel *panel, struct flight *flight)
{
	flight->done = true;
	while (panel->head != panel->tail &&
	    panel_flight(panel, panel->head)->done)
		panel->head++;
}
