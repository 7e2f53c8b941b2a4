/* A mail server behind a link: each JSON line becomes a mail by the template,
 * and the server's 250 for it becomes the line's acknowledgement. */
#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "codec/json_line.h"
#include "egress/local_job.h"
#include "egress/mail_template.h"

#define CONNECT_TIMEOUT_S 10
#define SESSION_TIMEOUT_S 300
#define TEMPLATE_BYTES	  65536

struct post {
	struct local_job *job;
	CURL *curl;
	struct mail_template *template;
	struct mail mail;
	size_t sent; /* of the message */
	json_t *facts;
	char number[24];
	char user[256], password[256];	  /* "": no login */
	char authorities[LOCAL_PATH_MAX]; /* "": the system's */
	bool offered;	 /* the server was asked to take this very mail */
	bool over;	 /* what it answers now is to our QUIT */
	char reply[100]; /* its last one */
	uint64_t last;	 /* sequence that it took */
	char error[CURL_ERROR_SIZE];
};

/* ---- files of the template ---------------------------------------------------------- */

/* "NAME.login" beside the template; what there is of it, at most size - 1
 * bytes, NUL-terminated. 0, -ENOENT, or -errno. */
static int
read_beside(const struct local_job *job, const char *suffix, char *out,
    size_t size)
{
	char path[LOCAL_PATH_MAX + 16];
	void *data = NULL;
	ssize_t length;

	snprintf(path, sizeof(path), "%s%s", job->path, suffix);
	length = io_load_file(path, size - 1, &data);
	if (length < 0)
		return (int)length;
	memcpy(out, data, (size_t)length);
	out[length] = '\0';
	explicit_bzero(data, (size_t)length);
	free(data);
	return 0;
}

/* Two lines: user and password. */
static bool
read_login(struct post *post)
{
	char text[sizeof(post->user) + sizeof(post->password)];
	int code = read_beside(post->job, ".login", text, sizeof(text));
	char *end = code == 0 ? strchr(text, '\n') : NULL;
	bool good = end && end > text;

	if (code == -ENOENT)
		return true;
	if (good) {
		*end++ = '\0';
		end[strcspn(end, "\r\n")] = '\0';
		good = snprintf(post->user, sizeof(post->user), "%.*s",
			   (int)strcspn(text, "\r"),
			   text) < (int)sizeof(post->user) &&
		    snprintf(post->password, sizeof(post->password), "%s",
			end) < (int)sizeof(post->password);
	}
	explicit_bzero(text, sizeof(text));
	if (!good)
		local_fail(post->job, "%s.login is not a user and a password",
		    post->job->path);
	else if (post->job->transport == DIRECTORY_TRANSPORT_SMTP_CLEAR)
		local_fail(post->job,
		    "a password is not told in clear: smtp:// or smtps://");
	return good && post->job->transport != DIRECTORY_TRANSPORT_SMTP_CLEAR;
}

static bool
read_template(struct post *post)
{
	struct err err = { "" };
	void *text = NULL;
	ssize_t length = io_load_file(post->job->path, TEMPLATE_BYTES, &text);

	if (length < 0) {
		local_fail(post->job, "cannot read %s: %s", post->job->path,
		    strerror((int)-length));
		return false;
	}
	if (mail_template_read(&post->template, slice_of(text, (size_t)length),
		&err) < 0)
		local_fail(post->job, "%s: %s", post->job->path, err.text);
	free(text);
	return post->template != NULL;
}

static void
find_authorities(struct post *post)
{
	snprintf(post->authorities, sizeof(post->authorities), "%.*s.ca",
	    LOCAL_PATH_MAX - 4, post->job->path);
	if (access(post->authorities, F_OK) < 0)
		post->authorities[0] = '\0';
}

/* ---- what libcurl asks and tells ----------------------------------------------------- */

static size_t
give_message(char *out, size_t size, size_t count, void *context)
{
	struct post *post = context;
	size_t left = post->mail.length - post->sent;
	size_t length = size * count < left ? size * count : left;

	memcpy(out, post->mail.message + post->sent, length);
	post->sent += length;
	return length;
}

/* Nobody waits for the answer any more. */
static int
is_wanted(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct post *post = context;
	struct pollfd wait = { .fd = post->job->fd, .events = POLLRDHUP };

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return poll(&wait, 1, 0) > 0;
}

static int
note_dialogue(CURL *curl, curl_infotype type, char *data, size_t length,
    void *context)
{
	struct post *post = context;

	(void)curl;
	if (type == CURLINFO_HEADER_OUT && length >= 5) {
		post->offered |= strncasecmp(data, "MAIL ", 5) == 0;
		post->over |= strncasecmp(data, "QUIT", 4) == 0;
	}
	if (type != CURLINFO_HEADER_IN || length < 3 || post->over ||
	    !isdigit((unsigned char)*data))
		return 0;
	while (length > 0 && isspace((unsigned char)data[length - 1]))
		length--;
	snprintf(post->reply, sizeof(post->reply), "%.*s", (int)length, data);
	return 0;
}

static bool
set_up(struct post *post)
{
	CURL *curl = curl_easy_init();
	const struct local_job *job = post->job;
	char url[300];

	post->curl = curl;
	if (!curl)
		return false;
	snprintf(url, sizeof(url),
	    strchr(job->host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
	    job->transport == DIRECTORY_TRANSPORT_SMTPS ? "smtps" : "smtp",
	    job->host, job->port);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)SESSION_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_USE_SSL,
	    job->transport == DIRECTORY_TRANSPORT_SMTP_CLEAR
		? (long)CURLUSESSL_NONE
		: (long)CURLUSESSL_ALL);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION,
	    (long)CURL_SSLVERSION_TLSv1_2);
	if (*post->authorities) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, post->authorities);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	if (*post->user) {
		curl_easy_setopt(curl, CURLOPT_USERNAME, post->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD, post->password);
	}
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_message);
	curl_easy_setopt(curl, CURLOPT_READDATA, post);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, is_wanted);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, post);
	curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L);
	curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, note_dialogue);
	curl_easy_setopt(curl, CURLOPT_DEBUGDATA, post);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->error);
	return true;
}

/* ---- one mail ------------------------------------------------------------------------ */

static struct slice
fact(void *context, const char *name)
{
	struct post *post = context;
	json_t *value = json_object_get(post->facts, name);

	if (json_is_boolean(value))
		return slice_from_string(json_is_true(value) ? "true"
							     : "false");
	if (json_is_integer(value)) {
		snprintf(post->number, sizeof(post->number),
		    "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return slice_from_string(post->number);
	}
	return slice_of(json_string_value(value), json_string_length(value));
}

static void
answer(struct post *post, enum json_answer_kind kind, uint64_t sequence,
    const char *why)
{
	char out[JSON_ANSWER_MAX];
	int length = json_answer_encode(kind, sequence, why, out);

	local_answer(post->job, out, (size_t)length);
}

/* Between angle brackets; NULL: out of memory. */
static struct curl_slist *
list_recipients(const struct mail *mail)
{
	struct curl_slist *list = NULL, *longer;

	for (unsigned i = 0; i < mail->recipient_count; i++) {
		longer = curl_slist_append(list, mail->recipients[i]);
		if (!longer)
			break;
		list = longer;
	}
	return list;
}

static CURLcode
perform(struct post *post)
{
	struct curl_slist *recipients = list_recipients(&post->mail);
	CURLcode result = CURLE_OUT_OF_MEMORY;

	post->sent = 0;
	post->offered = post->over = false;
	post->reply[0] = post->error[0] = '\0';
	curl_easy_setopt(post->curl, CURLOPT_MAIL_FROM, post->mail.sender);
	curl_easy_setopt(post->curl, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(post->curl, CURLOPT_INFILESIZE_LARGE,
	    (curl_off_t)post->mail.length);
	if (recipients)
		result = curl_easy_perform(post->curl);
	curl_easy_setopt(post->curl, CURLOPT_MAIL_RCPT, NULL);
	curl_slist_free_all(recipients);
	return result;
}

/* The server's own final no to this mail. To ask for a login (530 and the
 * like) is about the link. */
static bool
is_final(const struct post *post)
{
	long code = strtol(post->reply, NULL, 10);

	return post->offered && code >= 500 && code <= 599 && code != 530 &&
	    code != 535 && code != 538;
}

/* False: the connection is over. */
static bool
send_mail(struct post *post, uint64_t sequence)
{
	CURLcode result = perform(post);

	if (result == CURLE_OK) {
		post->last = sequence;
		answer(post, JSON_ANSWER_ACK, sequence, "");
		return true;
	}
	if (result != CURLE_ABORTED_BY_CALLBACK && is_final(post)) {
		answer(post, JSON_ANSWER_REFUSE, sequence, post->reply);
		return true;
	}
	if (*post->reply && (post->reply[0] == '4' || post->reply[0] == '5'))
		local_fail(post->job, "the mail server says: %s", post->reply);
	else
		local_fail(post->job, "mail: %s",
		    *post->error ? post->error : curl_easy_strerror(result));
	return false;
}

static bool
send_line(struct post *post, struct slice line)
{
	const char *problem = NULL;
	uint64_t sequence;
	int code;

	if (!json_line_sequence(line, &sequence))
		return true;
	if (sequence == post->last) { /* sent again for want of patience */
		answer(post, JSON_ANSWER_ACK, sequence, "");
		return true;
	}
	post->facts = json_loadb(line.data, line.length, JSON_ALLOW_NUL, NULL);
	if (!post->facts)
		return true;
	code = mail_template_write(post->template, fact, post, time(NULL),
	    &post->mail, &problem);
	json_decref(post->facts);
	post->facts = NULL;
	if (code == 0)
		return send_mail(post, sequence);
	answer(post, JSON_ANSWER_REFUSE, sequence, problem);
	return true;
}

static void
send_lines(struct post *post)
{
	struct slice line;
	bool going = true;

	while (going && local_read(post->job))
		while (going && local_line(post->job, &line)) {
			size_t length = line.length + 1;

			going = send_line(post, line);
			local_taken(post->job, length);
		}
}

void
local_mail(struct local_job *job)
{
	struct post *post = calloc(1, sizeof(*post));

	if (!post) {
		local_fail(job, "out of memory");
		return;
	}
	post->job = job;
	find_authorities(post);
	if (read_template(post) && read_login(post)) {
		if (set_up(post))
			send_lines(post);
		else
			local_fail(job, "out of memory");
	}
	if (post->curl)
		curl_easy_cleanup(post->curl);
	mail_template_close(&post->template);
	explicit_bzero(post->password, sizeof(post->password));
	free(post);
}
