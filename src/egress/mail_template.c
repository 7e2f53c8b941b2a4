#include "egress/mail_template.h"

#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/array.h"
#include "base/cursor.h"
#include "base/text.h"

#define PANEL_CODE  "panel_code"
#define HEADERS_MAX 32

/* RFC 5322, 2.1.1; RFC 2047, 2: an encoded word has 75 characters at most. */
#define LINE_CHARACTERS_MAX 998
#define WORD_BYTES	    45

enum header_kind {
	HEADER_TEXT,
	HEADER_FROM,
	HEADER_TO,
	HEADER_CONTENT_TYPE,
};

struct header {
	enum header_kind kind;
	struct slice name, value; /* as written */
};

struct mail_template {
	char *text;
	struct slice body;
	unsigned count;
	struct header headers[HEADERS_MAX];
};

/* ---- reading ------------------------------------------------------------------- */

static const char *const field_names[] = { "account", "class", "code", "format",
	"id", "line", "occurred_at", PANEL_CODE, "partition", "qualifier",
	"received_at", "receiver", "reference_id", "sequence", "sia",
	"site_name", "test", "text", "url", "user", "version", "zone",
	"zone_name" };

/* What a template must not say, because we do, or nobody should. */
static const char *const own_headers[] = { "bcc", "cc",
	"content-transfer-encoding", "date", "message-id", "mime-version",
	"received", "return-path", "sender" };

struct field {
	char name[24];
	bool xml;
};

/* The field that begins at text ("{name}"), with its length; 0: it is none. */
static size_t
read_field(struct slice text, struct field *ret)
{
	const char *end = memchr(text.data, '}', text.length);
	struct slice name;
	size_t length;

	if (!end)
		return 0;
	length = (size_t)(end - text.data) + 1;
	name = slice_part(text, 1, length - 2);
	ret->xml = slice_is(slice_part(name, 0, 4), "xml:");
	if (ret->xml)
		name = slice_part(name, 4, name.length);
	if (slice_copy(name, ret->name, sizeof(ret->name)) < 0)
		return 0;
	for (size_t i = 0; i < COUNT(field_names); i++)
		if (strcmp(ret->name, field_names[i]) == 0)
			return length;
	return 0;
}

static bool
is_brace(struct slice text)
{
	return slice_is(slice_part(text, 0, 2), "{{");
}

static int
check_fields(struct slice text, bool header, unsigned line, struct err *err)
{
	for (size_t i = 0, step; i < text.length; i += step) {
		struct slice rest = slice_part(text, i, text.length);
		struct field field;

		step = 1;
		if (text.data[i] != '{')
			continue;
		step = is_brace(rest) ? 2 : read_field(rest, &field);
		if (step == 0)
			return err_set(err, -EINVAL,
			    "line %u: '%.*s' is no field; a brace is {{", line,
			    SLICE_ARG(slice_part(rest, 0, 20)));
		if (header && step > 2 && field.xml)
			return err_set(err, -EINVAL,
			    "line %u: {xml:..} is for the body", line);
	}
	return 0;
}

static bool
name_is(struct slice name, const char *wanted)
{
	return name.length == strlen(wanted) &&
	    strncasecmp(name.data, wanted, name.length) == 0;
}

static enum header_kind
kind_of(struct slice name)
{
	if (name_is(name, "From"))
		return HEADER_FROM;
	if (name_is(name, "To"))
		return HEADER_TO;
	return name_is(name, "Content-Type") ? HEADER_CONTENT_TYPE
					     : HEADER_TEXT;
}

static int
check_name(struct slice name, unsigned line, struct err *err)
{
	bool good = name.length > 0;

	for (size_t i = 0; i < name.length; i++)
		good &=
		    isalnum((unsigned char)name.data[i]) || name.data[i] == '-';
	if (!good)
		return err_set(err, -EINVAL,
		    "line %u: a header is 'Name: value'", line);
	for (size_t i = 0; i < COUNT(own_headers); i++)
		if (name_is(name, own_headers[i]))
			return err_set(err, -EINVAL,
			    "line %u: %.*s is not a template's to say", line,
			    SLICE_ARG(name));
	return 0;
}

static struct slice
trim(struct slice text)
{
	while (text.length > 0 && *text.data == ' ')
		text = slice_part(text, 1, text.length);
	while (text.length > 0 && text.data[text.length - 1] == ' ')
		text.length--;
	return text;
}

static int
read_header(struct mail_template *template, struct slice text, unsigned line,
    struct err *err)
{
	const char *colon = memchr(text.data, ':', text.length);
	struct header *header = &template->headers[template->count];
	int code;

	if (template->count == HEADERS_MAX)
		return err_set(err, -EINVAL, "line %u: too many headers", line);
	header->name =
	    slice_part(text, 0, colon ? (size_t)(colon - text.data) : 0);
	code = check_name(header->name, line, err);
	if (code < 0)
		return code;
	header->kind = kind_of(header->name);
	header->value =
	    trim(slice_part(text, header->name.length + 1, text.length));
	for (unsigned i = 0; i < template->count; i++)
		if (header->kind != HEADER_TEXT &&
		    template->headers[i].kind == header->kind)
			return err_set(err, -EINVAL,
			    "line %u: %.*s is there already", line,
			    SLICE_ARG(header->name));
	if (header->kind == HEADER_CONTENT_TYPE &&
	    memchr(header->value.data, '{', header->value.length))
		return err_set(err, -EINVAL,
		    "line %u: the content type has no fields", line);
	template->count++;
	return check_fields(header->value, true, line, err);
}

/* The next line without its end, which is LF or CR LF. */
static struct slice
next_line(struct slice *rest)
{
	const char *end =
	    rest->length > 0 ? memchr(rest->data, '\n', rest->length) : NULL;
	size_t length = end ? (size_t)(end - rest->data) : rest->length;
	struct slice line = slice_part(*rest, 0, length);

	*rest = slice_part(*rest, length + 1, rest->length);
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

static int
read_all(struct mail_template *template, struct slice text, struct err *err)
{
	bool from = false, to = false;
	struct slice rest = text, line;
	unsigned number = 0;
	int code = 0;

	if (!text_is_utf8(text) || memchr(text.data, '\0', text.length))
		return err_set(err, -EINVAL, "it is no UTF-8 text");
	while (code == 0 && (line = next_line(&rest)).length > 0) {
		number++;
		if (*line.data != '#')
			code = read_header(template, line, number, err);
	}
	template->body = rest;
	for (number++; code == 0 && rest.length > 0;)
		code = check_fields(next_line(&rest), false, ++number, err);
	for (unsigned i = 0; i < template->count; i++) {
		from |= template->headers[i].kind == HEADER_FROM;
		to |= template->headers[i].kind == HEADER_TO;
	}
	if (code == 0 && !(from && to))
		return err_set(err, -EINVAL, "it needs From: and To:");
	return code;
}

int
mail_template_read(struct mail_template **ret, struct slice text,
    struct err *err)
{
	struct mail_template *template = calloc(1, sizeof(*template));
	int code = -ENOMEM;

	if (template)
		template->text = malloc(text.length + 1);
	if (!template || !template->text) {
		err_set(err, code, "out of memory");
	} else {
		memcpy(template->text, text.data, text.length);
		code = read_all(template, slice_of(template->text, text.length),
		    err);
	}
	if (code < 0)
		mail_template_close(&template);
	else
		*ret = template;
	return code;
}

void
mail_template_close(struct mail_template **template)
{
	if (*template)
		free((*template)->text);
	free(*template);
	*template = NULL;
}

/* ---- values -------------------------------------------------------------------- */

/* What is being written: where to, and what from. */
struct writing {
	struct writer w;
	mail_field_fn field;
	void *context;
	const char *problem; /* NULL: none */
	bool says_panel_code;
};

typedef void (*put_value_fn)(struct writing *writing, struct slice value);

static void
put(struct writing *writing, const char *text)
{
	writer_bytes(&writing->w, text, strlen(text));
}

/* Values of a header are words: nothing that ends a line. */
static void
put_word(struct writing *writing, struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		writer_u8(&writing->w, c < ' ' || c == 0x7f ? ' ' : c);
	}
}

/* Part of an address: letters, digits, and what needs no quotes. */
static void
put_address_part(struct writing *writing, struct slice value)
{
	bool good = value.length > 0;

	for (size_t i = 0; i < value.length; i++)
		good &= isalnum((unsigned char)value.data[i]) ||
		    strchr("._+=-", value.data[i]);
	if (!good)
		writing->problem = "a value has no place in a mail's address";
	put_word(writing, value);
}

static void
put_body_text(struct writing *writing, struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];
		bool line = c == '\n' || c == '\t';

		writer_u8(&writing->w, c < ' ' && !line ? ' ' : c);
	}
}

static void
put_xml(struct writing *writing, struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		struct slice one = slice_part(value, i, 1);

		switch (value.data[i]) {
		case '&':
			put(writing, "&amp;");
			break;
		case '<':
			put(writing, "&lt;");
			break;
		case '>':
			put(writing, "&gt;");
			break;
		case '"':
			put(writing, "&quot;");
			break;
		case '\'':
			put(writing, "&apos;");
			break;
		default:
			put_body_text(writing, one);
		}
	}
}

static void
expand(struct writing *writing, struct slice text, put_value_fn put_value)
{
	for (size_t i = 0, step; i < text.length; i += step) {
		struct slice rest = slice_part(text, i, text.length);
		struct field field;

		step = 1;
		if (text.data[i] == '{' && !is_brace(rest)) {
			step = read_field(rest, &field);
			writing->says_panel_code |=
			    strcmp(field.name, PANEL_CODE) == 0;
			(field.xml ? put_xml : put_value)(writing,
			    writing->field(writing->context, field.name));
			continue;
		}
		if (text.data[i] == '{')
			step = 2;
		if (text.data[i] != '\r')
			writer_u8(&writing->w, (uint8_t)text.data[i]);
	}
}

/* ---- headers ------------------------------------------------------------------- */

static bool
is_plain(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return text.length < LINE_CHARACTERS_MAX / 2;
}

/* As many whole characters as an encoded word has room for. */
static size_t
word_length(struct slice text)
{
	size_t length = 0, step;

	while (length < text.length) {
		step =
		    text_utf8_length(text.data + length, text.length - length);
		if (length + step > WORD_BYTES)
			break;
		length += step ? step : 1;
	}
	return length;
}

static void
put_encoded_words(struct writing *writing, struct slice text)
{
	unsigned char word[4 * WORD_BYTES];

	while (text.length > 0) {
		size_t length = word_length(text);

		EVP_EncodeBlock(word, (const unsigned char *)text.data,
		    (int)length);
		put(writing, "=?UTF-8?B?");
		put(writing, (const char *)word);
		put(writing, "?=");
		text = slice_part(text, length, text.length);
		if (text.length > 0)
			put(writing, "\r\n ");
	}
}

/* One address; false: it is none. */
static bool
keep_address(struct slice text, char out[MAIL_ADDRESS_SIZE])
{
	const char *at =
	    text.length > 0 ? memchr(text.data, '@', text.length) : NULL;
	size_t local = at ? (size_t)(at - text.data) : 0;

	if (local == 0 || local + 1 == text.length ||
	    memchr(at + 1, '@', text.length - local - 1))
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~' ||
		    strchr("<>()[],;:\\\"", text.data[i]))
			return false;
	return slice_copy(text, out, MAIL_ADDRESS_SIZE) == 0;
}

static bool
keep_addresses(struct slice text, char (*out)[MAIL_ADDRESS_SIZE], unsigned most,
    unsigned *ret_count)
{
	*ret_count = 0;
	while (text.length > 0) {
		const char *comma = memchr(text.data, ',', text.length);
		size_t length =
		    comma ? (size_t)(comma - text.data) : text.length;

		if (*ret_count == most ||
		    !keep_address(trim(slice_part(text, 0, length)),
			out[(*ret_count)++]))
			return false;
		text = slice_part(text, length + 1, text.length);
	}
	return *ret_count > 0;
}

static void
put_header(struct writing *writing, const struct header *header,
    struct mail *mail)
{
	struct writing value = *writing;
	char text[4096];
	struct slice written;
	unsigned count = 1;
	bool good = true;

	value.w = writer_open(text, sizeof(text));
	expand(&value, header->value,
	    header->kind == HEADER_TEXT ? put_word : put_address_part);
	written = slice_of(text, writer_length(&value.w));
	if (header->kind == HEADER_FROM)
		good = keep_addresses(written, &mail->sender, 1, &count);
	else if (header->kind == HEADER_TO)
		good = keep_addresses(written, mail->recipients,
		    MAIL_RECIPIENTS_MAX, &mail->recipient_count);
	if (value.problem)
		writing->problem = value.problem;
	else if (!good)
		writing->problem = "an address of the mail is none";
	writing->w.failed |= value.w.failed;
	writing->says_panel_code |= value.says_panel_code;
	writer_bytes(&writing->w, header->name.data, header->name.length);
	put(writing, ": ");
	if (is_plain(written))
		writer_bytes(&writing->w, written.data, written.length);
	else
		put_encoded_words(writing, written);
	put(writing, "\r\n");
}

static void
put_date(struct writing *writing, long long now_s)
{
	time_t now = (time_t)now_s;
	struct tm parts;
	char text[64];

	gmtime_r(&now, &parts);
	strftime(text, sizeof(text), "Date: %a, %d %b %Y %H:%M:%S +0000\r\n",
	    &parts);
	put(writing, text);
}

static void
put_own_headers(struct writing *writing, const struct mail *mail, bool has_type,
    long long now_s)
{
	struct slice id = writing->field(writing->context, "id");

	put_date(writing, now_s);
	put(writing, "Message-ID: <");
	put_address_part(writing, id);
	put(writing,
	    strchr(mail->sender, '@') ? strchr(mail->sender, '@') : "");
	put(writing, ">\r\nMIME-Version: 1.0\r\n");
	if (!has_type)
		put(writing, "Content-Type: text/plain; charset=UTF-8\r\n");
}

/* ---- the whole ------------------------------------------------------------------- */

/* Lines of ASCII that no server has to wrap. */
static bool
is_seven_bit(struct slice body)
{
	size_t column = 0;

	for (size_t i = 0; i < body.length; i++) {
		column = body.data[i] == '\n' ? 0 : column + 1;
		if ((unsigned char)body.data[i] >= 0x80 ||
		    column > LINE_CHARACTERS_MAX)
			return false;
	}
	return true;
}

static void
put_lines(struct writing *writing, struct slice body)
{
	for (size_t i = 0; i < body.length; i++) {
		if (body.data[i] == '\n')
			writer_u8(&writing->w, '\r');
		writer_u8(&writing->w, (uint8_t)body.data[i]);
	}
	if (body.length == 0 || body.data[body.length - 1] != '\n')
		put(writing, "\r\n");
}

static void
put_base64(struct writing *writing, struct slice body)
{
	unsigned char line[128];

	for (size_t i = 0; i < body.length; i += 57) {
		struct slice part = slice_part(body, i, 57);

		EVP_EncodeBlock(line, (const unsigned char *)part.data,
		    (int)part.length);
		put(writing, (const char *)line);
		put(writing, "\r\n");
	}
}

/* A mail without the one code that there is would say nothing of its event. */
static bool
lacks_code(const struct writing *mail, const struct writing *body)
{
	return !mail->says_panel_code && !body->says_panel_code &&
	    slice_present(mail->field(mail->context, PANEL_CODE));
}

int
mail_template_write(const struct mail_template *template, mail_field_fn field,
    void *context, long long now_s, struct mail *ret, const char **ret_problem)
{
	struct writing body = { writer_open(ret->body, sizeof(ret->body)),
		field, context, NULL, false };
	struct writing mail = { writer_open(ret->message,
				    sizeof(ret->message) - 1),
		field, context, NULL, false };
	struct slice written;
	bool has_type = false;

	expand(&body, template->body, put_body_text);
	written = slice_of(ret->body, writer_length(&body.w));
	for (unsigned i = 0; i < template->count; i++) {
		put_header(&mail, &template->headers[i], ret);
		has_type |= template->headers[i].kind == HEADER_CONTENT_TYPE;
	}
	put_own_headers(&mail, ret, has_type, now_s);
	put(&mail, "Content-Transfer-Encoding: ");
	put(&mail, is_seven_bit(written) ? "7bit\r\n\r\n" : "base64\r\n\r\n");
	(is_seven_bit(written) ? put_lines : put_base64)(&mail, written);
	*ret_problem = mail.problem;
	if (!mail.problem && lacks_code(&mail, &body))
		*ret_problem =
		    "the template has no {panel_code}, and a panel's own code no other: the alarm library's inbound codes can give it one";
	else if (!mail.problem && (body.w.failed || mail.w.failed))
		*ret_problem = "a mail has no room for it";
	ret->length = writer_length(&mail.w);
	ret->message[ret->length] = '\0';
	return *ret_problem ? -EINVAL : 0;
}
