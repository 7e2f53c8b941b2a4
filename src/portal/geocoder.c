#include "portal/geocoder.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"

#define TIMEOUT_MS	 4000
#define CONNECT_MS	 2000
#define ANSWER_BYTES_MAX (256 * 1024)
#define USER_AGENT	 "tocsin-portal"

static const struct geocoder_style *const styles[] = {
	&geocoder_nominatim,
	&geocoder_google,
};

/* ---- settings ---------------------------------------------------------------------------- */

static int
read_key(const char *path, char *ret, size_t size, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return err_set_errno(err, "%s", path);
	length = read(fd, ret, size - 1);
	close(fd);
	if (length < 0)
		return err_set_errno(err, "%s", path);
	ret[length] = '\0';
	ret[strcspn(ret, "\r\n")] = '\0';
	if (ret[0] && (size_t)length < size - 1)
		return 0;
	return err_set(err, -EINVAL, "%s: holds no key of 1 to %zu characters",
	    path, size - 2);
}

static int
find_style(const char *name, const struct geocoder_style **ret, struct err *err)
{
	for (size_t i = 0; i < COUNT(styles); i++)
		if (strcmp(styles[i]->name, name) == 0) {
			*ret = styles[i];
			return 0;
		}
	return err_set(err, -EINVAL,
	    "geocoder: is off, nominatim or google, not \"%s\"", name);
}

/* What is typed about customers goes over the network only encrypted. */
static bool
is_private(const char *url)
{
	static const char *const beginnings[] = { "https://",
		"http://127.0.0.1", "http://[::1]", "http://localhost" };

	for (size_t i = 0; i < COUNT(beginnings); i++) {
		size_t length = strlen(beginnings[i]);

		if (strncmp(url, beginnings[i], length) == 0)
			return i == 0 || strchr(":/", url[length]);
	}
	return false;
}

int
geocoder_open(struct geocoder *geocoder,
    const struct geocoder_settings *settings, struct err *err)
{
	int result;

	memset(geocoder, 0, sizeof(*geocoder));
	if (strcmp(settings->style, "off") == 0)
		return 0;
	result = find_style(settings->style, &geocoder->style, err);
	if (result < 0)
		return result;
	geocoder->url = *settings->url ? settings->url : geocoder->style->url;
	if (!geocoder->url)
		return err_set(err, -EINVAL, "geocoder: %s needs geocoder_url",
		    settings->style);
	if (!is_private(geocoder->url))
		return err_set(err, -EINVAL,
		    "geocoder_url: %s has to be https, or on loopback",
		    geocoder->url);
	if (geocoder->style->needs_key && !*settings->key_file)
		return err_set(err, -EINVAL,
		    "geocoder: %s needs geocoder_key_file", settings->style);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, -ENOMEM, "libcurl cannot be used");
	geocoder->uses_curl = true;
	return *settings->key_file ? read_key(settings->key_file, geocoder->key,
					 sizeof(geocoder->key), err)
				   : 0;
}

void
geocoder_close(struct geocoder *geocoder)
{
	sodium_memzero(geocoder->key, sizeof(geocoder->key));
	if (geocoder->uses_curl)
		curl_global_cleanup();
	geocoder->uses_curl = false;
}

/* ---- asking -------------------------------------------------------------------------------- */

struct answer {
	char *text;
	size_t length;
};

static size_t
take_answer(char *data, size_t size, size_t count, void *context)
{
	struct answer *answer = context;
	size_t length = size * count;

	if (length > ANSWER_BYTES_MAX - answer->length)
		return 0; /* ends it as failed */
	memcpy(answer->text + answer->length, data, length);
	answer->length += length;
	return length;
}

/* Owned (curl_free is not its match: free). NULL: no memory. */
static char *
make_url(const struct geocoder *geocoder, CURL *curl, const char *text)
{
	char *escaped = curl_easy_escape(curl, text, 0);
	char *key =
	    geocoder->key[0] ? curl_easy_escape(curl, geocoder->key, 0) : NULL;
	char *url = NULL;

	if (escaped && (key || !geocoder->key[0]) &&
	    asprintf(&url, "%s?%s%s%s%s", geocoder->url, geocoder->style->query,
		escaped, key ? geocoder->style->key_query : "",
		key ? key : "") < 0)
		url = NULL;
	curl_free(escaped);
	curl_free(key);
	return url;
}

static int
fetch(CURL *curl, const char *url, struct answer *answer, struct err *err)
{
	char reason[CURL_ERROR_SIZE] = "";
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
	/* never where somebody else says, nor what is no web service */
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
	code = curl_easy_perform(curl);
	/* the URL is not told: it holds the key, and where a customer lives */
	return code == CURLE_OK
	    ? 0
	    : err_set(err, -EHOSTUNREACH,
		  "the address service did not answer: %s",
		  reason[0] ? reason : curl_easy_strerror(code));
}

int
geocoder_find(const struct geocoder *geocoder, const char *text,
    struct geocoder_place ret[GEOCODER_PLACES_MAX], struct err *err)
{
	CURL *curl = curl_easy_init();
	struct answer answer = { .text = malloc(ANSWER_BYTES_MAX) };
	char *url = curl ? make_url(geocoder, curl, text) : NULL;
	int result;

	if (url && answer.text)
		result = fetch(curl, url, &answer, err);
	else
		result = err_set(err, -ENOMEM, "out of memory");
	if (result == 0)
		result =
		    geocoder->style->read(answer.text, answer.length, ret, err);
	if (url)
		sodium_memzero(url, strlen(url));
	free(url);
	free(answer.text);
	curl_easy_cleanup(curl);
	return result;
}
