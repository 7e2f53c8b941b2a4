#include "watch/outage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "journal/own_signal.h"

/* Not mentioned for so long: removed. */
#define FORGOTTEN_US 10000000

static const struct kind {
	const char *name;
	const char *code; /* Contact ID, docs/OPERATIONS.md */
} kinds[] = {
	{ "link", "354" },
	{ "database", "356" },
};

struct outage {
	struct outage *next;
	const struct kind *kind;
	bool works, told; /* told: that it does not */
	int64_t since_us; /* monotonic: it is as it is */
	int64_t mentioned_us;
	char name[];
};

struct outages {
	struct journal *journal;
	const struct clock *clock;
	int64_t after_us;
	struct outage *first;
};

struct outages *
outages_open(struct journal *journal, const struct clock *clock,
    int64_t after_us)
{
	struct outages *outages = calloc(1, sizeof(*outages));

	if (outages)
		*outages = (struct outages){ journal, clock, after_us, NULL };
	return outages;
}

void
outages_close(struct outages **ref)
{
	struct outages *outages = *ref;

	*ref = NULL;
	while (outages && outages->first) {
		struct outage *next = outages->first->next;

		free(outages->first);
		outages->first = next;
	}
	free(outages);
}

static const struct kind *
kind_of(const char *name)
{
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static struct outage *
find(struct outages *outages, const struct kind *kind, const char *name)
{
	struct outage *outage = outages->first;

	while (outage &&
	    (outage->kind != kind || strcmp(outage->name, name) != 0))
		outage = outage->next;
	return outage;
}

static struct outage *
add(struct outages *outages, const struct kind *kind, const char *name)
{
	size_t length = strlen(name) + 1;
	struct outage *outage = calloc(1, sizeof(*outage) + length);

	if (!outage)
		return NULL;
	outage->kind = kind;
	memcpy(outage->name, name, length);
	outage->works = true;
	outage->since_us = clock_monotonic_us(outages->clock);
	outage->next = outages->first;
	outages->first = outage;
	return outage;
}

void
outages_report(struct outages *outages, const char *what, const char *name,
    bool works)
{
	const struct kind *kind = kind_of(what);
	struct outage *outage = kind ? find(outages, kind, name) : NULL;

	if (kind && !outage)
		outage = add(outages, kind, name);
	if (!outage)
		return;
	outage->mentioned_us = clock_monotonic_us(outages->clock);
	if (works == outage->works)
		return;
	outage->works = works;
	outage->since_us = outage->mentioned_us;
}

static int
journal_outage(struct outages *outages, const struct outage *outage,
    bool begins, const char *text)
{
	const struct own_signal signal = { .code = outage->kind->code,
		.begins = begins,
		.zone = "000",
		.text = text };
	uint64_t lsn;
	int result =
	    own_signal_collect(outages->journal, outages->clock, &signal, &lsn);

	journal_wake(outages->journal);
	if (result == 0)
		log_write(begins ? LOG_WARN : LOG_NOTICE, "watch",
		    begins ? "outage" : "outage_over", "text=\"%s\"", text);
	return result;
}

/* False: what is to be told has no room. */
static bool
tell_one(struct outages *outages, struct outage *outage, int64_t now_us,
    bool forgotten)
{
	int64_t age_us = now_us - outage->since_us;
	bool back = outage->works || forgotten;
	bool away = !back && age_us >= outages->after_us;
	char text[160];

	if (outage->told ? !back : !away)
		return true;
	if (away)
		snprintf(text, sizeof(text), "%s %.90s is away for %lld s",
		    outage->kind->name, outage->name,
		    (long long)(age_us / 1000000));
	else
		snprintf(text, sizeof(text), "%s %.90s %s", outage->kind->name,
		    outage->name,
		    forgotten ? "is needed no more" : "works again");
	if (journal_outage(outages, outage, away, text) < 0)
		return false;
	outage->told = away;
	return true;
}

void
outages_tell(struct outages *outages)
{
	int64_t now_us = clock_monotonic_us(outages->clock);
	struct outage **at = &outages->first;

	while (*at) {
		struct outage *outage = *at;
		bool forgotten = now_us - outage->mentioned_us > FORGOTTEN_US;

		if (tell_one(outages, outage, now_us, forgotten) && forgotten) {
			*at = outage->next;
			free(outage);
		} else {
			at = &outage->next;
		}
	}
}
