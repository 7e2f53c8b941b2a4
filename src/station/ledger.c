#include "station/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Fields longer than this are not what this program is sent in earnest. */
#define FIELD_MAX      32
#define LINE_MAX_BYTES 512

int
station_ledger_open(struct station_ledger **ret, const char *path, bool sync,
    struct err *err)
{
	struct station_ledger *ledger = calloc(1, sizeof(*ledger));
	int result = 0;

	if (!ledger)
		return err_set(err, -ENOMEM, "out of memory");
	hash_key_random(&ledger->key);
	if (path)
		result = lines_open(&ledger->lines, path, sync, err);
	if (result < 0)
		station_ledger_close(&ledger);
	else
		*ret = ledger;
	return result;
}

void
station_ledger_close(struct station_ledger **ledger)
{
	if (!*ledger)
		return;
	lines_close(&(*ledger)->lines);
	free(*ledger);
	*ledger = NULL;
}

int
station_ledger_flush(struct station_ledger *ledger, struct err *err)
{
	return lines_flush(&ledger->lines, err);
}

/* A field as one word: never empty, nothing in it that separates words. */
static char *
put_field(char *out, struct slice field)
{
	size_t length = field.length < FIELD_MAX ? field.length : FIELD_MAX;

	if (length == 0)
		*out++ = '-';
	for (size_t i = 0; i < length; i++) {
		char c = field.data[i];

		*out++ = c > ' ' && c <= '~' ? c : '_';
	}
	*out++ = ' ';
	return out;
}

static char *
put_number(char *out, uint64_t number)
{
	char digits[20];
	unsigned count = 0;

	for (; number > 0 || count == 0; number /= 10)
		digits[count++] = (char)('0' + number % 10);
	while (count > 0)
		*out++ = digits[--count];
	*out++ = ' ';
	return out;
}

/* Whether it says the same as the account's message before; remembers it.
 * Accounts whose hashes share a place forget each other. */
static bool
is_repeat(struct station_ledger *ledger, const struct signal *signal,
    const char *content, size_t length)
{
	uint64_t account = hash_bytes(&ledger->key, signal->account.data,
	    signal->account.length);
	uint64_t hash = hash_bytes(&ledger->key, content, length);
	size_t i = account % LEDGER_REMEMBERED;
	bool same = ledger->last[i].account == account &&
	    ledger->last[i].content == hash;

	ledger->last[i].account = account;
	ledger->last[i].content = hash;
	ledger->repeats += same;
	return same;
}

static int
add_event(struct station_ledger *ledger, const struct signal *signal,
    const struct signal_event *event, const char *state, int64_t now_us)
{
	char unused[LINE_MAX_BYTES];
	char *start = ledger->lines.open
	    ? lines_room(&ledger->lines, LINE_MAX_BYTES)
	    : unused;
	char *out = start, *content, *behind;
	char letter = signal_qualifier_letter(event->qualifier);
	bool repeat;

	if (!out)
		return -ENOMEM;
	out = content = put_field(out, signal->account);
	out = put_field(out, slice_of(&letter, letter ? 1 : 0));
	out = put_field(out, slice_from_string(event->code));
	out = put_field(out, event->partition);
	behind = put_field(out, event->zone);
	out = put_field(behind, signal->sequence);
	repeat = is_repeat(ledger, signal, content, (size_t)(out - content));
	out = put_field(behind, signal->receiver);
	out = put_field(out, signal->line);
	out = put_number(out, (uint64_t)now_us);
	out = put_field(out, slice_from_string(state));
	out = put_field(out, slice_from_string(repeat ? "repeat" : "-"));
	out = put_field(out, signal->sequence);
	out[-1] = '\n';
	if (ledger->lines.open)
		lines_added(&ledger->lines, (size_t)(out - start));
	return 0;
}

int
station_ledger_add(struct station_ledger *ledger, const struct signal *signal,
    const char *state, int64_t now_us)
{
	for (unsigned i = 0; i < signal->event_count; i++)
		if (add_event(ledger, signal, &signal->events[i], state,
			now_us) < 0)
			return -ENOMEM;
	return 0;
}
