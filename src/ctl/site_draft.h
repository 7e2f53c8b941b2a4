/*
 * A site that is not stored yet: what the flags of "site create" and the
 * wizard fill in, check field by field, and store in one step with
 * tocsin.site_create. The rules are the database's; what is checked here is
 * what a person can be helped with: names that must be among the known ones.
 */
#ifndef CTL_SITE_DRAFT_H
#define CTL_SITE_DRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "ctl/choice.h"
#include "db/db.h"

enum site_field {
	SITE_DEALER,
	SITE_TEMPLATE,
	SITE_NAME,
	SITE_ADDRESS1,
	SITE_ADDRESS2,
	SITE_CITY,
	SITE_REGION,
	SITE_POSTAL_CODE,
	SITE_COUNTRY,
	SITE_LATITUDE,
	SITE_LONGITUDE,
	SITE_TIMEZONE,
	SITE_EXTERNAL_ID,
	SITE_STATION,
	SITE_ACCOUNT,
	SITE_REFERENCE_ID,
	SITE_ARMING,
	SITE_FIELD_COUNT,
};

struct site_field_row {
	const char *option; /* "postal-code" */
	const char *label;  /* "Postal code" */
	const char *value;  /* in the help, as the next one */
	const char *help;
	const char *parameter; /* of tocsin.site_create */
	const char *type;      /* of that parameter */
	const char *choices;   /* statement for choice_load; NULL: free text */
	const char *what;      /* "time zone": the kind of choice */
};
extern const struct site_field_row site_fields[SITE_FIELD_COUNT];

enum site_subject {
	SITE_ZONE_TYPE,
	SITE_EVENT,
	SITE_SUBJECT_COUNT
};

/* A difference from the dealer's library. */
struct site_change {
	enum site_subject kind;
	char *subject; /* number of the zone type, name of the event */
	int enabled;   /* -1: inherited */
	char code[8];  /* "": inherited */
};

enum site_contact_field {
	CONTACT_NAME,
	CONTACT_TITLE,
	CONTACT_PHONE,
	CONTACT_EMAIL,
	CONTACT_SLOT,
	CONTACT_FIELD_COUNT,
};
extern const char *const site_contact_words[CONTACT_FIELD_COUNT];

struct site_contact {
	char *values[CONTACT_FIELD_COUNT]; /* NULL: not said */
};

#define SITE_CHANGES_MAX  64
#define SITE_CONTACTS_MAX 32

struct site_draft {
	struct db *db;			/* borrowed */
	char *keys[SITE_FIELD_COUNT];	/* what is stored; NULL: nothing */
	char *titles[SITE_FIELD_COUNT]; /* the same for people */
	struct choice_list choices[SITE_FIELD_COUNT];
	bool loaded[SITE_FIELD_COUNT];
	struct choice_list subjects[SITE_SUBJECT_COUNT];
	struct site_change changes[SITE_CHANGES_MAX];
	size_t change_count;
	struct site_contact contacts[SITE_CONTACTS_MAX];
	size_t contact_count;
	const char *claim_code; /* borrowed; NULL: no bridge in this step */
};

void site_draft_open(struct site_draft *draft, struct db *db);
void site_draft_close(struct site_draft *draft);

/*
 * What may be chosen for a field, for the draft's dealer; NULL for free text.
 * Borrowed until the dealer changes.
 */
int site_draft_choices(struct site_draft *draft, enum site_field field,
    const struct choice_list **ret, struct err *err);

/*
 * A field as typed; "" empties it. Another dealer also empties what was his.
 * -EINVAL with a sentence that begins with the text, or what the database
 * said; the draft is then as before.
 */
int site_draft_set(struct site_draft *draft, enum site_field field,
    const char *text, struct err *err);

/* The zone types or system events. */
int site_draft_subjects(struct site_draft *draft, enum site_subject kind,
    const struct choice_list **ret, struct err *err);

/* setting: CODE, on, off, or two of them with a comma; "default" takes the
 * change back. Errors as site_draft_set. */
int site_draft_change(struct site_draft *draft, enum site_subject kind,
    const char *subject, const char *setting, struct err *err);

/* "NAME,phone=..,email=..,title=..,slot=..". Errors as site_draft_set. */
int site_draft_add_contact(struct site_draft *draft, const char *text,
    struct err *err);
/* Takes the texts of contact, also when it fails. */
int site_draft_take_contact(struct site_draft *draft,
    struct site_contact *contact, struct err *err);
void site_draft_drop_contact(struct site_draft *draft);

/*
 * Store it in one transaction, with the bridge of claim_code; keep false: only
 * ask whether it would be accepted. A refusal is -EINVAL, and ret_option is then
 * the option that it is about ("account"), "" when that is not known; static.
 */
int site_draft_store(struct site_draft *draft, bool keep, char ret_id[24],
    const char **ret_option, struct err *err);

#endif
