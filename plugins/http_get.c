/* http_get.c - see http_get.h */
#include "plugins/http_get.h"

#include <errno.h>

#if __has_include(<curl/curl.h>) && !defined(LDMS_STATIC)
#include <curl/curl.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/unit.h"
#include "core/base/xalloc.h"

/* Either will do: they differ in what speaks TLS. */
static const char *const libraries[] = { "libcurl.so.4", "libcurl-gnutls.so.4" };
#define LIBRARY "libcurl.so.4"

#define FUNCTIONS(X)                                                                                                   \
	X(global_init)                                                                                                 \
	X(easy_init)                                                                                                   \
	X(easy_setopt)                                                                                                 \
	X(easy_perform)                                                                                                \
	X(easy_getinfo)                                                                                                \
	X(easy_strerror)                                                                                               \
	X(easy_cleanup)                                                                                                \
	X(slist_append)                                                                                                \
	X(slist_free_all)

/* The header's checks of types are for direct calls. */
#undef curl_easy_setopt
#undef curl_easy_getinfo

struct library {
#define X(n) __typeof__(&curl_##n) n;
	FUNCTIONS(X)
#undef X
};

struct http_get {
	const struct library *lib;
	CURL *easy;
	struct curl_slist *headers;
	char *url;
	struct buf *body;
	size_t max;
	bool too_long;
	char why[CURL_ERROR_SIZE];
};

static int load(struct library *lib, struct err *err)
{
	void *so = NULL;

	for (size_t i = 0; !so && i < sizeof(libraries) / sizeof(*libraries); i++)
		so = dlopen(libraries[i], RTLD_NOW | RTLD_LOCAL);
	if (!so)
		return err_set(err, -ENOENT, LIBRARY " is not there: %s; install the package of libcurl", dlerror());
#define X(n)                                                                                                           \
	lib->n = (__typeof__(lib->n))dlsym(so, "curl_" #n);                                                            \
	if (!lib->n)                                                                                                   \
		return err_set(err, -ENOSYS, LIBRARY " is of another kind: %s", dlerror());
	FUNCTIONS(X)
#undef X
	return lib->global_init(CURL_GLOBAL_DEFAULT) ? err_set(err, -ENOSYS, LIBRARY " does not begin") : 0;
}

static int library_get(const struct library **ret, struct err *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static struct library lib;
	static bool loaded;
	int rc = 0;

	pthread_mutex_lock(&lock);
	if (!loaded)
		rc = load(&lib, err); /* once more each time: it may have been installed meanwhile */
	loaded |= !rc;
	pthread_mutex_unlock(&lock);
	*ret = &lib;
	return rc;
}

/* More than `max` bytes end the transfer. */
static size_t on_body(char *p, size_t one, size_t n, void *arg)
{
	struct http_get *h = arg;

	h->too_long = n > h->max - h->body->len;
	if (h->too_long)
		return 0;
	buf_add(h->body, p, n);
	return n;
}

int http_get_open(const char *url, const char *socket, const char *accept, struct http_get **ret, struct err *err)
{
	const struct library *lib;
	int rc = library_get(&lib, err);
	struct http_get *h;
	char *line;

	if (rc)
		return rc;
	h = xcalloc(1, sizeof(*h));
	h->lib = lib;
	h->easy = lib->easy_init();
	if (!h->easy) {
		free(h);
		return err_set(err, -ENOMEM, LIBRARY " gives no handle");
	}
	h->url = xstrdup(url);
	line = xasprintf("Accept: %s", accept);
	h->headers = lib->slist_append(NULL, line);
	free(line);
	lib->easy_setopt(h->easy, CURLOPT_URL, h->url);
	lib->easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->headers);
	lib->easy_setopt(h->easy, CURLOPT_USERAGENT, "ldms/" LDMS_VERSION);
	lib->easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L); /* threads */
	lib->easy_setopt(h->easy, CURLOPT_PROXY, "");    /* whatever the environment says */
	lib->easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->why);
	lib->easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	lib->easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
	if (socket)
		lib->easy_setopt(h->easy, CURLOPT_UNIX_SOCKET_PATH, socket);
	*ret = h;
	return 0;
}

void http_get_close(struct http_get *h)
{
	if (!h)
		return;
	h->lib->easy_cleanup(h->easy);
	h->lib->slist_free_all(h->headers);
	free(h->url);
	free(h);
}

static int failed(const struct http_get *h, CURLcode code, int64_t deadline_us, struct err *err)
{
	char text[32];

	if (h->too_long)
		return err_set(err, -EFBIG, "%s: answers with more than %s", h->url, unit_size_text(h->max, text));
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_set(err, -ETIMEDOUT, "%s: has not answered within %s (deadline=)", h->url,
			       unit_time_text(deadline_us, text));
	return err_set(err, code == CURLE_COULDNT_CONNECT ? -ECONNREFUSED : -EREMOTEIO, "%s: %s", h->url,
		       *h->why ? h->why : h->lib->easy_strerror(code));
}

int http_get(struct http_get *h, int64_t deadline_us, size_t max, struct buf *body, struct err *err)
{
	CURLcode code;
	long status = 0;

	buf_reset(body);
	h->body = body;
	h->max = max;
	h->too_long = false;
	*h->why = 0;
	h->lib->easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)(deadline_us / 1000 + 1));
	code = h->lib->easy_perform(h->easy);
	if (code != CURLE_OK) {
		buf_fini(body); /* it may be large, and was of no use */
		return failed(h, code, deadline_us, err);
	}
	h->lib->easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200)
		return err_set(err, -EREMOTEIO, "%s: answers with status %ld, not 200", h->url, status);
	return 0;
}

#else

int http_get_open(const char *url, const char *socket, const char *accept, struct http_get **ret, struct err *err)
{
	return err_set(err, -ENOTSUP, "%s: this ldms cannot ask HTTP servers: it was built %s", url,
		       HTTP_GET_NEEDS ? "without libcurl; install it and run make again" : "with STATIC=1");
}

void http_get_close(struct http_get *h)
{
	(void)h;
}

int http_get(struct http_get *h, int64_t deadline_us, size_t max, struct buf *body, struct err *err)
{
	return err_set(err, -ENOTSUP, "no HTTP");
}

#endif
