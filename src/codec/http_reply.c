#include "codec/http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/array.h"

static const struct {
	unsigned status;
	const char *text;
} statuses[] = {
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 207, "Multi-Status" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 431, "Request Header Fields Too Large" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
http_status_text(unsigned status)
{
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "Unknown";
}

struct head {
	char text[HTTP_REPLY_HEAD_MAX];
	size_t length;
};

/* Every line is short: what is variable in it are numbers and our own words. */
__attribute__((format(printf, 2, 3))) static void
add(struct head *head, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(head->text + head->length,
	    sizeof(head->text) - head->length, format, arguments);
	va_end(arguments);
	head->length += (size_t)length;
}

/* As the field wants it, whatever the locale. */
static void
add_date(struct head *head, int64_t wall_us)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm t;

	if (gmtime_r(&seconds, &t))
		add(head, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
		    days + 3 * (size_t)t.tm_wday, t.tm_mday,
		    months + 3 * (size_t)t.tm_mon, t.tm_year + 1900, t.tm_hour,
		    t.tm_min, t.tm_sec);
}

int
http_reply_encode(const struct http_reply *reply, char *out, size_t out_size)
{
	struct head head = { .length = 0 };

	add(&head, "HTTP/1.1 %u %s\r\n", reply->status,
	    http_status_text(reply->status));
	add_date(&head, reply->date_us);
	if (reply->content_type)
		add(&head, "Content-Type: %s\r\n", reply->content_type);
	if (reply->status != 204)
		add(&head, "Content-Length: %zu\r\n", reply->content.length);
	if (reply->allow)
		add(&head, "Allow: %s\r\n", reply->allow);
	if (reply->authenticate)
		add(&head, "WWW-Authenticate: Bearer\r\n");
	if (reply->retry_s > 0)
		add(&head, "Retry-After: %u\r\n", reply->retry_s);
	if (reply->close)
		add(&head, "Connection: close\r\n");
	add(&head, "\r\n");
	if (out_size < head.length + reply->content.length)
		return -ENOBUFS;
	memcpy(out, head.text, head.length);
	if (reply->content.length > 0)
		memcpy(out + head.length, reply->content.data,
		    reply->content.length);
	return (int)(head.length + reply->content.length);
}
