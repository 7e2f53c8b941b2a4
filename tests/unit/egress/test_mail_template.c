/* Mails: their bytes, what a template must not say, and that no value of a
 * signal becomes a header, an address or a line that is too long. */
#include "egress/mail_template.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/io.h"
#include "base/text.h"
#include "unit/test.h"

#define S(text) slice_from_string(text)
#define NOW	1768473001

static struct mail mail;
static const char *problem;

/* "name=value" pairs, NULL behind the last. */
struct values {
	const char *names[8];
	struct slice values[8];
};

static struct slice
value_of(void *context, const char *name)
{
	const struct values *values = context;

	for (size_t i = 0; i < COUNT(values->names) && values->names[i]; i++)
		if (strcmp(values->names[i], name) == 0)
			return values->values[i];
	return SLICE_NONE;
}

static int
write_mail(const char *text, struct values *values)
{
	struct mail_template *template;
	struct err err = { "" };
	int code;

	if (mail_template_read(&template, S(text), &err) < 0)
		fail_msg("%s", err.text);
	code = mail_template_write(template, value_of, values, NOW, &mail,
	    &problem);
	mail_template_close(&template);
	return code;
}

static struct values
plain_values(void)
{
	return (struct values){
		.names = { "id", "account", "zone_name", "text" },
		.values = { S("node-8841-0-17"), S("ABC1234"), S("Front gate"),
		    S("Instant") },
	};
}

static void
test_plain_mail(void **state)
{
	struct values values = plain_values();

	(void)state;
	assert_int_equal(write_mail("# for people\nFrom: a@b.example\n"
				    "To: {account}@c.example, d@c.example\r\n"
				    "Subject: {account}: {zone_name} {{x}\n"
				    "X-Zone: {zone}\n"
				    "\n"
				    "Text {text}\r\n<{xml:text}> {{",
			     &values),
	    0);
	assert_int_equal(mail.length, strlen(mail.message));
	assert_string_equal(mail.message,
	    "From: a@b.example\r\n"
	    "To: ABC1234@c.example, d@c.example\r\n"
	    "Subject: ABC1234: Front gate {x}\r\n"
	    "X-Zone: \r\n"
	    "Date: Thu, 15 Jan 2026 10:30:01 +0000\r\n"
	    "Message-ID: <node-8841-0-17@b.example>\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=UTF-8\r\n"
	    "Content-Transfer-Encoding: 7bit\r\n\r\n"
	    "Text Instant\r\n<Instant> {\r\n");
	assert_string_equal(mail.sender, "a@b.example");
	assert_int_equal(mail.recipient_count, 2);
	assert_string_equal(mail.recipients[0], "ABC1234@c.example");
	assert_string_equal(mail.recipients[1], "d@c.example");
}

static void
test_other_characters_are_encoded(void **state)
{
	struct values values = plain_values();

	(void)state;
	values.values[2] = S("Caf\xc3\xa9");
	assert_int_equal(write_mail("From: a@b.example\nTo: c@d.example\n"
				    "Subject: {zone_name}\n"
				    "Content-Type: text/html\n\n{zone_name}\n",
			     &values),
	    0);
	assert_non_null(strstr(mail.message,
	    "Subject: =?UTF-8?B?Q2Fmw6k=?=\r\n"));
	assert_non_null(strstr(mail.message,
	    "Content-Transfer-Encoding: base64\r\n\r\nQ2Fmw6kK\r\n"));
	assert_null(strstr(mail.message, "text/plain"));
}

static const struct {
	const char *text, *problem;
} templates[] = {
	{ "", "it needs From: and To:" },
	{ "From: a@b\n\nbody", "it needs From: and To:" },
	{ "From: a@b\nTo: c@d\nTo: e@f\n\n", "line 3: To is there already" },
	{ "From: a@b\nfrom: c@d\n\n", "line 2: from is there already" },
	{ "From: a@b\nBcc: c@d\n\n", "line 2: Bcc is not a template's to say" },
	{ "From: a@b\nMessage-ID: <1>\n\n",
	    "line 2: Message-ID is not a template's to say" },
	{ "From a@b\n\n", "line 1: a header is 'Name: value'" },
	{ "From: a@b\n folded\n\n", "line 2: a header is 'Name: value'" },
	{ "X-{account}: a\n\n", "line 1: a header is 'Name: value'" },
	{ "From: a@b\nTo: {acount}@d\n\n",
	    "line 2: '{acount}@d' is no field; a brace is {{" },
	{ "From: a@b\nTo: c@d\n\na\n{",
	    "line 5: '{' is no field; a brace is {{" },
	{ "From: a@b\nTo: c@d\nSubject: {xml:text}\n\n",
	    "line 3: {xml:..} is for the body" },
	{ "From: a@b\nTo: c@d\nContent-Type: {text}\n\n",
	    "line 3: the content type has no fields" },
	{ "From: a@b\nTo: c\xff@d\n\n", "it is no UTF-8 text" },
};

static void
test_wrong_templates(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(templates); i++) {
		struct mail_template *template = NULL;
		struct err err = { "" };

		assert_row(mail_template_read(&template, S(templates[i].text),
			       &err) == -EINVAL,
		    i, templates[i].problem);
		assert_row(strcmp(err.text, templates[i].problem) == 0, i,
		    err.text);
		assert_null(template);
	}
}

static const struct {
	const char *to, *account, *problem;
} addresses[] = {
	{ "{account}@d.example", "1234", NULL },
	{ "{account}@d.example", "a.b+c=d-e_f", NULL },
	{ "{account}@d.example", "",
	    "a value has no place in a mail's address" },
	{ "{account}@d.example", "a b",
	    "a value has no place in a mail's address" },
	{ "{account}@d.example", "x@evil.example,a",
	    "a value has no place in a mail's address" },
	{ "{account}@d.example", "a\r\nBcc: x",
	    "a value has no place in a mail's address" },
	{ "{account}@d.example", "a>",
	    "a value has no place in a mail's address" },
	{ "{account}@d.example", "\xc3\xa9",
	    "a value has no place in a mail's address" },
	{ "{account}", "1234", "an address of the mail is none" },
	{ "a@b@{account}", "1234", "an address of the mail is none" },
	{ "Name <a@b>", "1234", "an address of the mail is none" },
	{ "a@b,,c@d", "1234", "an address of the mail is none" },
	{ "a@1,a@2,a@3,a@4,a@5,a@6,a@7,a@8,a@9", "1234",
	    "an address of the mail is none" },
};

static void
test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(addresses); i++) {
		struct values values = plain_values();
		char text[200];

		snprintf(text, sizeof(text), "From: a@b\nTo: %s\n\nbody",
		    addresses[i].to);
		values.values[1] = S(addresses[i].account);
		assert_row(write_mail(text, &values) ==
			(addresses[i].problem ? -EINVAL : 0),
		    i, addresses[i].account);
		assert_row(addresses[i].problem
			? strcmp(problem, addresses[i].problem) == 0
			: problem == NULL,
		    i, problem ? problem : "");
	}
}

static void
test_no_room(void **state)
{
	struct values values = plain_values();
	char *text = malloc(MAIL_BYTES_MAX);

	(void)state;
	memset(text, 'x', MAIL_BYTES_MAX);
	values.values[3] = slice_of(text, MAIL_BYTES_MAX);
	assert_int_equal(write_mail("From: a@b\nTo: c@d\n\n{text}", &values),
	    -EINVAL);
	assert_string_equal(problem, "a mail has no room for it");
	free(text);
}

/* ---- any value ---------------------------------------------------------------- */

static uint64_t
draw(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return *state >> 33;
}

/* Characters that are something to mail, or of several bytes. */
static struct slice
draw_text(uint64_t *random, char *out, size_t size)
{
	static const char *const parts[] = { "\r\n", "\n", "\r", "\r\nBcc: x@y",
		"\n.\n", ".", "=?UTF-8?B?", ":", "<", ">", "&", "\"", "@", ",",
		"\xc3\xa9", "\xf0\x9f\x94\xa5", "\xe2\x80\xa8", "{text}", "{{",
		" ", "\t", "\x7f", "a", "From ", "]]>" };
	size_t length = 0, count = draw(random) % 300;

	while (count-- > 0) {
		const char *part = parts[draw(random) % COUNT(parts)];

		if (length + strlen(part) > size)
			break;
		memcpy(out + length, part, strlen(part));
		length += strlen(part);
	}
	return slice_of(out, length);
}

/* Lines of CR LF, at most 998 characters of ASCII, and where the body begins. */
static const char *
check_lines(void)
{
	const char *line = mail.message, *end, *body = NULL;

	while (*line) {
		end = strstr(line, "\r\n");
		assert_non_null(end);
		assert_true(end - line <= 998);
		for (const char *c = line; c < end; c++)
			assert_true(*c != '\r' && *c != '\n' &&
			    (unsigned char)*c < 0x80);
		if (end == line && !body)
			body = end + 2;
		line = end + 2;
	}
	assert_ptr_equal(line, mail.message + mail.length);
	assert_non_null(body);
	return body;
}

static void
test_no_value_is_a_header(void **state)
{
	static const char *const names[] = { "From: ", "To: ", "Subject: ",
		"X-Text: ", "Date: ", "Message-ID: ", "MIME-Version: ",
		"Content-Type: ", "Content-Transfer-Encoding: " };
	static char texts[2][4096];
	struct values values = plain_values();
	uint64_t random = 1;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		const char *line, *body;
		size_t next = 0;

		values.values[2] = draw_text(&random, texts[0], 1200);
		values.values[3] = draw_text(&random, texts[1], 1200);
		assert_int_equal(write_mail("From: a@b.example\n"
					    "To: {account}@d.example\n"
					    "Subject: {zone_name}\n"
					    "X-Text: {text}\n"
					    "\n"
					    "{text}\n{xml:zone_name}",
				     &values),
		    0);
		body = check_lines();
		for (line = mail.message; line < body - 2;
		     line = strstr(line, "\r\n") + 2) {
			if (*line == ' ') /* an encoded word goes on */
				continue;
			assert_row(next < COUNT(names) &&
				strncmp(line, names[next],
				    strlen(names[next])) == 0,
			    i, line);
			next++;
		}
		assert_int_equal(next, COUNT(names));
	}
}

/* The sample that is shipped can be read and written. */
static void
test_sample(void **state)
{
	struct mail_template *template;
	struct values values = plain_values();
	struct err err = { "" };
	void *text;
	ssize_t length =
	    io_load_file(TEST_SOURCE_DIR "/../etc/immix.mail", 65536, &text);

	(void)state;
	assert_true(length > 0);
	if (mail_template_read(&template, slice_of(text, (size_t)length),
		&err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mail_template_write(template, value_of, &values, NOW,
			     &mail, &problem),
	    0);
	check_lines();
	assert_non_null(strstr(mail.message,
	    "<ExtraText>: Front gate Instant</ExtraText>\r\n"));
	mail_template_close(&template);
	free(text);
}

/* It is all that is known of the event. */
static void
test_a_panels_own_code(void **state)
{
	struct values values = {
		.names = { "id", "account", "panel_code" },
		.values = { S("node-8841-0-17"), S("ABC1234"), S("17") },
	};

	(void)state;
	assert_int_equal(write_mail("From: a@b\nTo: c@d\n\n{code}\n", &values),
	    -EINVAL);
	assert_non_null(strstr(problem, "{panel_code}"));
	assert_int_equal(write_mail("From: a@b\nTo: c@d\n"
				    "Subject: {code}{panel_code}\n\nx\n",
			     &values),
	    0);
	assert_non_null(strstr(mail.message, "Subject: 17\r\n"));
	assert_int_equal(write_mail("From: a@b\nTo: c@d\n\n{panel_code}\n",
			     &values),
	    0);
	values.names[2] = NULL; /* no other event needs it */
	assert_int_equal(write_mail("From: a@b\nTo: c@d\n\n{code}\n", &values),
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain_mail),
		cmocka_unit_test(test_other_characters_are_encoded),
		cmocka_unit_test(test_wrong_templates),
		cmocka_unit_test(test_a_panels_own_code),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_no_value_is_a_header),
		cmocka_unit_test(test_sample),
	};

	return cmocka_run_group_tests_name("egress/mail_template", tests, NULL,
	    NULL);
}
