#include "watch/supervision.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journal/own_signal.h"
#include "watch/supervision_internal.h"

#define SECOND	     ((int64_t)1000000)
#define LOOKS_A_TURN 20000
/* A turn that comes later than this after the one before: we were stopped. */
#define STOPPED_US (5 * SECOND)
/* What is lost is looked at when it is heard, and now and then anyway. */
#define LOOK_AGAIN_US (10 * SECOND)
/* How much of the time that passes may be saved up for telling. */
#define TELL_SAVED_US (SECOND / 20)

/* What one signal of our own costs of it. */
static const int64_t tell_us[] = {
	[SUPERVISION_FAST] = SECOND / 2000,
	[SUPERVISION_SLOWLY] = SECOND / 100,
	[SUPERVISION_TRICKLE] = SECOND / 10,
};

enum state_bit {
	STATE_SUPERVISED = 1 << 0,
	STATE_OFFLINE = 1 << 1, /* counted, told or soon to be */
	STATE_WAITING = 1 << 2, /* for its turn to be told */
};

/* ---- one bridge, judged -------------------------------------------------------- */

enum hearing {
	HEARD,
	LATE_YET_EXCUSED, /* too short a time of listening to say */
	LOST,
};

struct judgement {
	uint8_t told;	   /* what should be told of it, enum told_bit */
	int64_t look_us;   /* when it may be another */
	int64_t silent_us; /* of the bridge, of each path */
	int64_t path_silent_us[DIRECTORY_PATHS];
};

struct subject {
	uint32_t slot;
	struct timer_wheel_entry *entry;
	const struct directory_bridge *bridge;
};

static int64_t
wait_us(const struct directory_path *path)
{
	return ((int64_t)path->interval_s + path->margin_s) * SECOND;
}

static unsigned
count_paths(const struct directory_bridge *bridge)
{
	unsigned count = 0;

	for (unsigned i = 0; i < DIRECTORY_PATHS; i++)
		count += bridge->paths[i].interval_s > 0;
	return count;
}

/* What this listener hears is a sign of life on this path. */
static bool
belongs_to(const struct directory_bridge *bridge, unsigned path,
    const char *listener)
{
	const char *own = bridge->paths[path].listener;
	const char *other = bridge->paths[1 - path].listener;

	if (own)
		return strcmp(own, listener) == 0;
	return !other || strcmp(other, listener) != 0;
}

/* INT64_MIN: never. Times are kept to the millisecond, rounded down. */
static int64_t
last_heard(const struct directory_bridge *bridge, unsigned path,
    const struct presence_path *heard, unsigned count)
{
	int64_t last_us = INT64_MIN;

	for (unsigned i = 0; i < count; i++)
		if (heard[i].seen_us > last_us &&
		    belongs_to(bridge, path, heard[i].listener))
			last_us = heard[i].seen_us;
	return last_us == INT64_MIN ? last_us : last_us + 1000;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Since when it is supervised as it is: within a tick before this. */
static int64_t
supervised_since(const struct supervision *s,
    const struct timer_wheel_entry *entry)
{
	return s->began_us + (int64_t)entry->since * TIMER_WHEEL_TICK_US;
}

/* What was told is taken back when the bridge is heard, not when it is allowed
 * to be silent for longer. */
static int64_t
counts_from(const struct supervision *s, const struct timer_wheel_entry *entry)
{
	return entry->told ? supervised_since(s, entry) - TIMER_WHEEL_TICK_US
			   : INT64_MIN;
}

static enum hearing
judge_path(const struct directory_path *path, int64_t heard_us,
    int64_t excused_us, int64_t now_us, struct judgement *ret)
{
	int64_t wait = wait_us(path);

	if (heard_us != INT64_MIN && now_us < heard_us + wait) {
		ret->look_us = sooner(ret->look_us, heard_us + wait);
		return HEARD;
	}
	if (now_us < excused_us + wait) {
		ret->look_us = sooner(ret->look_us, excused_us + wait);
		return LATE_YET_EXCUSED;
	}
	ret->look_us = sooner(ret->look_us, now_us + LOOK_AGAIN_US);
	return LOST;
}

static bool
is_offline(const unsigned counts[LOST + 1], uint8_t told)
{
	if (counts[HEARD] > 0)
		return false;
	return counts[LATE_YET_EXCUSED] == 0 || (told & TOLD_OFFLINE);
}

/* One of two paths is told while the bridge is heard on the other; what was
 * told stays so until that path is heard. */
static bool
is_path_lost(enum hearing hearing, bool offline, bool told)
{
	switch (hearing) {
	case HEARD:
		return false;
	case LATE_YET_EXCUSED:
		return told;
	case LOST:
		return told || !offline;
	}
	return false;
}

static void
judge(const struct supervision *s, const struct subject *subject,
    int64_t now_us, struct judgement *ret)
{
	const struct directory_bridge *bridge = subject->bridge;
	/* nobody is taken as silent from before this */
	int64_t excused_us =
	    later(s->reception_us, supervised_since(s, subject->entry));
	struct presence_path heard[PRESENCE_PATHS];
	unsigned count = presence_paths(s->presence, subject->slot, heard);
	enum hearing hearing[DIRECTORY_PATHS] = { HEARD, HEARD };
	unsigned counts[LOST + 1] = { 0 };
	uint8_t told = subject->entry->told;

	*ret =
	    (struct judgement){ .look_us = INT64_MAX, .silent_us = INT64_MAX };
	for (unsigned i = 0; i < DIRECTORY_PATHS; i++) {
		int64_t heard_us;

		if (bridge->paths[i].interval_s == 0)
			continue;
		heard_us = last_heard(bridge, i, heard, count);
		if (heard_us < counts_from(s, subject->entry))
			heard_us = INT64_MIN;
		hearing[i] = judge_path(&bridge->paths[i], heard_us, excused_us,
		    now_us, ret);
		counts[hearing[i]]++;
		ret->path_silent_us[i] = now_us - later(heard_us, excused_us);
		ret->silent_us = sooner(ret->silent_us, ret->path_silent_us[i]);
	}
	if (is_offline(counts, told))
		ret->told |= TOLD_OFFLINE;
	for (unsigned i = 0; i < DIRECTORY_PATHS && count_paths(bridge) > 1;
	     i++)
		if (is_path_lost(hearing[i], ret->told & TOLD_OFFLINE,
			told & TOLD_PATH << i))
			ret->told |= (uint8_t)(TOLD_PATH << i);
}

/* ---- who is supervised ------------------------------------------------------------ */

static uint32_t
since_now(const struct supervision *s, int64_t now_us)
{
	return (uint32_t)((now_us - s->began_us + TIMER_WHEEL_TICK_US - 1) /
	    TIMER_WHEEL_TICK_US);
}

/* Tells one way of supervising from another, well enough to grant a new
 * interval after a change. */
static uint8_t
digest_paths(const struct directory_bridge *bridge)
{
	uint64_t digest = 0;

	for (unsigned i = 0; i < DIRECTORY_PATHS; i++) {
		const struct directory_path *path = &bridge->paths[i];

		digest = hash_number(digest ^
		    ((uint64_t)path->interval_s << 32 | path->margin_s));
		for (const char *c = path->listener; c && *c; c++)
			digest = hash_number(digest ^ (uint64_t)*c);
	}
	return (uint8_t)digest;
}

static void
set_offline(struct supervision *s, struct timer_wheel_entry *entry,
    bool offline)
{
	if (offline == ((entry->state & STATE_OFFLINE) != 0))
		return;
	entry->state ^= STATE_OFFLINE;
	if (offline)
		s->status.offline++;
	else
		s->status.offline--;
}

static void
set_waiting(struct supervision *s, struct timer_wheel_entry *entry,
    bool waiting)
{
	if (waiting == ((entry->state & STATE_WAITING) != 0))
		return;
	entry->state ^= STATE_WAITING;
	if (waiting)
		s->status.untold++;
	else
		s->status.untold--;
}

static void
forget(struct supervision *s, const struct subject *subject)
{
	struct timer_wheel_entry *entry = subject->entry;

	set_offline(s, entry, false);
	set_waiting(s, entry, false);
	if (entry->state & STATE_SUPERVISED)
		s->status.supervised--;
	timer_wheel_remove(&s->wheel, subject->slot);
	entry->state = entry->told = 0;
}

static void
begin(struct supervision *s, const struct subject *subject, int64_t now_us)
{
	struct timer_wheel_entry *entry = subject->entry;

	entry->state = STATE_SUPERVISED;
	entry->since = since_now(s, now_us);
	entry->told = told_get(&s->recovered, subject->bridge->id);
	s->status.supervised++;
	set_offline(s, entry, entry->told & TOLD_OFFLINE);
}

/* A path that is supervised no more is not missed any more. */
static void
change(struct supervision *s, const struct subject *subject, int64_t now_us)
{
	struct timer_wheel_entry *entry = subject->entry;

	entry->since = since_now(s, now_us);
	if (count_paths(subject->bridge) < DIRECTORY_PATHS)
		entry->told &= TOLD_OFFLINE;
}

/* Whose slot it is now. False: nobody's who is supervised. */
static bool
meet(struct supervision *s, uint32_t slot, int64_t now_us, struct subject *ret)
{
	uint64_t id = presence_bridge(s->presence, slot);
	uint8_t generation = presence_generation(s->presence, slot);
	const struct directory_bridge *bridge =
	    id ? directory_bridge_by_id(s->directory, id) : NULL;
	struct timer_wheel_entry *entry = &s->wheel.entries[slot];
	uint8_t paths;

	*ret = (struct subject){ slot, entry, bridge };
	if (entry->generation != generation)
		forget(s, ret);
	entry->generation = generation;
	if (!bridge || bridge->slot != slot || bridge->site_id == 0 ||
	    count_paths(bridge) == 0) {
		forget(s, ret);
		return false;
	}
	paths = digest_paths(bridge);
	if (!(entry->state & STATE_SUPERVISED))
		begin(s, ret, now_us);
	else if (entry->paths != paths)
		change(s, ret, now_us);
	entry->paths = paths;
	return true;
}

/* ---- telling ------------------------------------------------------------------------ */

struct message {
	uint8_t bit;
	const char *code;
	const char *zone;    /* NULL: the number of the bridge */
	const char *subject; /* of the sentence */
};

/* Restores in this order, then what is lost in the reverse one. */
static const struct message messages[] = {
	{ TOLD_OFFLINE, SUPERVISION_CODE_BRIDGE, NULL, "" },
	{ TOLD_PATH, SUPERVISION_CODE_PATH, "001", " primary path" },
	{ TOLD_PATH << 1, SUPERVISION_CODE_PATH, "002", " backup path" },
};

static void
format_message(const struct subject *subject, const struct message *message,
    const struct judgement *judgement, char *out, size_t out_size)
{
	int64_t silent_us = judgement->silent_us;

	if (message->bit != TOLD_OFFLINE)
		silent_us =
		    judgement->path_silent_us[message->bit == TOLD_PATH << 1];
	if (judgement->told & message->bit)
		snprintf(out, out_size, "%.100s%s not heard for %" PRId64 " s",
		    subject->bridge->serial, message->subject,
		    silent_us / SECOND);
	else
		snprintf(out, out_size, "%.100s%s heard again",
		    subject->bridge->serial, message->subject);
}

static int
tell_one(struct supervision *s, const struct subject *subject,
    const struct message *message, const struct judgement *judgement)
{
	char text[160], number[8];
	const struct own_signal signal = {
		.code = message->code,
		.begins = judgement->told & message->bit,
		.bridge_id = subject->bridge->id,
		.zone = message->zone ? message->zone : number,
		.text = text,
	};
	int result;

	snprintf(number, sizeof(number), "%03u",
	    (unsigned)subject->bridge->number);
	format_message(subject, message, judgement, text, sizeof(text));
	result = own_signal_collect(s->journal, s->clock, &signal, &s->own_lsn);
	if (result < 0)
		return result;
	subject->entry->told ^= message->bit;
	s->allowance_us -= tell_us[s->pace];
	return 0;
}

/* What changed of this bridge. -errno: the journal takes nothing now. */
static int
tell_bridge(struct supervision *s, const struct subject *subject,
    const struct judgement *judgement)
{
	const size_t count = sizeof(messages) / sizeof(messages[0]);
	int result = 0;

	for (size_t step = 0; step < 2 * count && result == 0; step++) {
		bool lost = step >= count;
		const struct message *message =
		    &messages[lost ? 2 * count - 1 - step : step];
		uint8_t changed = subject->entry->told ^ judgement->told;

		if ((changed & message->bit) &&
		    lost == ((judgement->told & message->bit) != 0))
			result = tell_one(s, subject, message, judgement);
	}
	return result;
}

static void
log_incident(const struct supervision *s)
{
	log_write(s->incident.on ? LOG_WARN : LOG_NOTICE, "watch",
	    s->incident.on ? "mass_loss" : "mass_loss_over",
	    "offline=%" PRIu64 " supervised=%" PRIu64, s->status.offline,
	    s->status.supervised);
}

static int
tell_incident(struct supervision *s)
{
	char text[160];
	const struct own_signal signal = {
		.code = SUPERVISION_CODE_BRIDGE,
		.begins = s->incident.on,
		.zone = "000",
		.text = text,
	};
	int result;

	if (s->incident.on == s->incident_told)
		return 0;
	if (s->incident.on)
		snprintf(text, sizeof(text),
		    "%" PRIu64 " of %" PRIu64
		    " supervised bridges fell silent within %d s",
		    s->incident.recent, s->status.supervised,
		    INCIDENT_WINDOW_S);
	else
		snprintf(text, sizeof(text),
		    "the mass loss is over: of up to %" PRIu64
		    " bridges nine in ten are back",
		    s->incident.most);
	result = own_signal_collect(s->journal, s->clock, &signal, &s->own_lsn);
	if (result == 0) {
		s->incident_told = s->incident.on;
		log_incident(s);
	}
	return result;
}

/* ---- looking ------------------------------------------------------------------------ */

/* Set the next look; true: there is something to tell. */
static bool
settle(struct supervision *s, const struct subject *subject,
    const struct judgement *judgement, int64_t now_us)
{
	struct timer_wheel_entry *entry = subject->entry;
	bool offline = judgement->told & TOLD_OFFLINE;

	if (offline && !(entry->state & STATE_OFFLINE))
		incident_count(&s->incident, now_us);
	set_offline(s, entry, offline);
	presence_watch(s->presence, subject->slot,
	    judgement->told != 0 || entry->told != 0);
	if (judgement->told != entry->told)
		return true;
	set_waiting(s, entry, false);
	timer_wheel_set(&s->wheel, subject->slot, judgement->look_us);
	return false;
}

static void
look_at(struct supervision *s, uint32_t slot, int64_t now_us)
{
	struct judgement judgement;
	struct subject subject;

	s->status.looks++;
	if (!meet(s, slot, now_us, &subject))
		return;
	judge(s, &subject, now_us, &judgement);
	if (settle(s, &subject, &judgement, now_us) &&
	    !(subject.entry->state & STATE_WAITING)) {
		set_waiting(s, subject.entry, true);
		timer_wheel_wait(&s->wheel, slot);
	}
}

/* Its turn to be told has come; it may have changed meanwhile. */
static int
tell_waiting(struct supervision *s, uint32_t slot, int64_t now_us)
{
	struct judgement judgement;
	struct subject subject;
	int result;

	if (!meet(s, slot, now_us, &subject))
		return 0;
	judge(s, &subject, now_us, &judgement);
	result = tell_bridge(s, &subject, &judgement);
	if (settle(s, &subject, &judgement, now_us))
		timer_wheel_wait(&s->wheel, slot);
	return result;
}

static void
tell(struct supervision *s, int64_t now_us)
{
	int result = tell_incident(s);
	uint32_t slot;

	while (result == 0 && s->allowance_us > 0 &&
	    (slot = timer_wheel_next_waiting(&s->wheel)))
		result = tell_waiting(s, slot, now_us);
	journal_wake(s->journal);
}

/* Bridges that came, went or changed, and silent ones that were heard. */
static unsigned
look_at_marked(struct supervision *s, int64_t now_us)
{
	unsigned looks = 0;

	while (looks < LOOKS_A_TURN) {
		uint32_t slot = presence_next_mark(s->presence, s->marked);

		s->marked = slot;
		if (slot == 0)
			break;
		if (timer_wheel_reserve(&s->wheel, slot) < 0) {
			presence_mark(s->presence, slot); /* next time */
			break;
		}
		look_at(s, slot, now_us);
		looks++;
	}
	return looks;
}

/* What the journal recovered of bridges that the directory does not know is
 * not needed once all it knows were looked at. */
static void
settle_all(struct supervision *s)
{
	s->settled = true;
	told_close(&s->recovered);
}

static unsigned
look_at_due(struct supervision *s, unsigned looks, int64_t now_us)
{
	uint32_t slot;

	while (looks < LOOKS_A_TURN && (slot = timer_wheel_next_due(&s->wheel)))
		look_at(s, slot, now_us), looks++;
	return looks;
}

/* We heard nobody: that nobody was heard says nothing. */
static void
note_reception(struct supervision *s, const struct journal_status *journal,
    int64_t now_us)
{
	if (s->looked_us == 0 || now_us - s->looked_us > STOPPED_US ||
	    journal->refusal != JOURNAL_TAKES || journal->failure != 0 ||
	    journal->sync_running_us > s->config.deaf_sync_us)
		s->reception_us = now_us;
	s->allowance_us =
	    sooner(s->allowance_us + now_us - s->looked_us, TELL_SAVED_US);
	s->looked_us = now_us;
}

bool
supervision_look(struct supervision *s, const struct journal_status *journal)
{
	int64_t now_us = clock_monotonic_us(s->clock);
	unsigned looks;

	note_reception(s, journal, now_us);
	timer_wheel_advance(&s->wheel, now_us);
	directory_thread_online();
	looks = look_at_marked(s, now_us);
	if (!s->settled && s->marked == 0)
		settle_all(s);
	looks = look_at_due(s, looks, now_us);
	if (s->settled)
		incident_judge(&s->incident, now_us, s->status.supervised,
		    s->status.offline);
	tell(s, now_us);
	directory_thread_offline();
	if (now_us - s->saved_us >= s->config.checkpoint_us)
		supervision_save(s);
	return looks >= LOOKS_A_TURN;
}

void
supervision_set_pace(struct supervision *supervision,
    enum supervision_pace pace)
{
	supervision->pace = pace;
}

/* ---- life --------------------------------------------------------------------------- */

int
supervision_open(struct supervision **ret,
    const struct supervision_config *config, struct journal *journal,
    struct directory *directory, const struct clock *clock, struct err *err)
{
	struct supervision *s = calloc(1, sizeof(*s));
	int result;

	if (!s)
		return err_set(err, -ENOMEM, "no memory for the supervision");
	s->config = *config;
	s->journal = journal;
	s->directory = directory;
	s->presence = directory_presence(directory);
	s->clock = clock;
	s->began_us = s->reception_us = s->saved_us = clock_monotonic_us(clock);
	s->incident.config = config->mass_loss;
	timer_wheel_open(&s->wheel, s->began_us);
	result = supervision_recover(s, err);
	if (result < 0)
		supervision_close(&s);
	*ret = s;
	return result;
}

void
supervision_close(struct supervision **supervision)
{
	struct supervision *old = *supervision;

	*supervision = NULL;
	if (!old)
		return;
	if (old->looked_us != 0)
		supervision_save(old);
	timer_wheel_close(&old->wheel);
	told_close(&old->recovered);
	free(old);
}

enum supervision_state
supervision_state(const struct supervision *supervision, uint32_t slot)
{
	const struct timer_wheel_entry *entry;

	if (slot >= supervision->wheel.size)
		return SUPERVISION_NONE;
	entry = &supervision->wheel.entries[slot];
	if (!(entry->state & STATE_SUPERVISED))
		return SUPERVISION_NONE;
	if (entry->told & TOLD_OFFLINE)
		return SUPERVISION_OFFLINE;
	return entry->told ? SUPERVISION_PARTLY : SUPERVISION_ONLINE;
}

void
supervision_status(const struct supervision *supervision,
    struct supervision_status *ret)
{
	*ret = supervision->status;
	ret->mass_loss = supervision->incident.on;
	ret->bytes = sizeof(*supervision) +
	    supervision->wheel.size * sizeof(struct timer_wheel_entry) +
	    supervision->recovered.size * sizeof(struct told);
}
