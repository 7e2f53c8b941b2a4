#include "portal/work.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "db/db.h"
#include "portal/operation.h"

struct exchanges {
	struct exchange *first, *last;
	unsigned count;
};

struct work {
	const char *conninfo; /* borrowed */
	unsigned queue_max;
	work_done_fn done;
	struct event *wake; /* the main loop, for what is done */
	int interrupt_fd;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t change;
	struct exchanges waiting, finished;
	bool stopping;
	unsigned thread_count;
	pthread_t threads[WORK_THREADS_MAX];
};

static void
append(struct exchanges *list, struct exchange *exchange)
{
	exchange->next = NULL;
	if (list->last)
		list->last->next = exchange;
	else
		list->first = exchange;
	list->last = exchange;
	list->count++;
}

static struct exchange *
take_first(struct exchanges *list)
{
	struct exchange *exchange = list->first;

	if (!exchange)
		return NULL;
	list->first = exchange->next;
	if (!list->first)
		list->last = NULL;
	list->count--;
	return exchange;
}

/* NULL: it is time to end. */
static struct exchange *
wait_for_exchange(struct work *work)
{
	struct exchange *exchange = NULL;

	pthread_mutex_lock(&work->lock);
	while (!work->stopping && !(exchange = take_first(&work->waiting)))
		pthread_cond_wait(&work->change, &work->lock);
	pthread_mutex_unlock(&work->lock);
	return exchange;
}

static bool
is_connected(struct work *work, struct db *db)
{
	struct err err;

	if (db->connection && PQstatus(db->connection) == CONNECTION_OK)
		return true;
	if (db_connect(db, work->conninfo, "tocsin-portal", &err) == 0)
		return true;
	log_write(LOG_ERROR, "portal", "no_database", "error=\"%s\"", err.text);
	return false;
}

static void *
thread_main(void *context)
{
	struct work *work = context;
	struct db db = { .interrupt_fd = work->interrupt_fd };
	struct exchange *exchange;

	while ((exchange = wait_for_exchange(work)) != NULL) {
		if (is_connected(work, &db))
			operation_run(exchange, &db);
		else
			exchange_problem(exchange, 503, NULL,
			    "the database is not there: try again");
		pthread_mutex_lock(&work->lock);
		append(&work->finished, exchange);
		pthread_mutex_unlock(&work->lock);
		event_active(work->wake, EV_READ, 0);
	}
	db_close(&db);
	return NULL;
}

static void
on_wake(evutil_socket_t fd, short events, void *context)
{
	struct work *work = context;
	struct exchanges finished;
	struct exchange *exchange;

	(void)fd, (void)events;
	pthread_mutex_lock(&work->lock);
	finished = work->finished;
	work->finished = (struct exchanges){ 0 };
	pthread_mutex_unlock(&work->lock);
	while ((exchange = take_first(&finished)) != NULL)
		work->done(exchange);
}

int
work_open(struct event_base *base, const char *conninfo, unsigned threads,
    unsigned queue_max, work_done_fn done, struct work **ret, struct err *err)
{
	struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return err_set(err, -ENOMEM, "out of memory");
	work->conninfo = conninfo;
	work->queue_max = queue_max;
	work->done = done;
	pthread_mutex_init(&work->lock, NULL);
	pthread_cond_init(&work->change, NULL);
	work->interrupt_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	work->wake = event_new(base, -1, EV_READ | EV_PERSIST, on_wake, work);
	*ret = work;
	if (work->interrupt_fd < 0 || !work->wake)
		return err_set(err, -ENOMEM, "no memory for the threads");
	while (work->thread_count < threads) {
		int error = pthread_create(&work->threads[work->thread_count],
		    NULL, thread_main, work);

		if (error != 0)
			return err_set(err, -error, "cannot make a thread");
		work->thread_count++;
	}
	return 0;
}

static void
drop_all(struct exchanges *list)
{
	struct exchange *exchange;

	while ((exchange = take_first(list)) != NULL)
		exchange_free(exchange);
}

void
work_close(struct work **ret)
{
	struct work *work = *ret;

	if (!work)
		return;
	pthread_mutex_lock(&work->lock);
	work->stopping = true;
	pthread_cond_broadcast(&work->change);
	pthread_mutex_unlock(&work->lock);
	if (work->interrupt_fd >= 0)
		eventfd_write(work->interrupt_fd, 1);
	for (unsigned i = 0; i < work->thread_count; i++)
		pthread_join(work->threads[i], NULL);
	drop_all(&work->waiting);
	drop_all(&work->finished);
	if (work->wake)
		event_free(work->wake);
	if (work->interrupt_fd >= 0)
		close(work->interrupt_fd);
	pthread_cond_destroy(&work->change);
	pthread_mutex_destroy(&work->lock);
	free(work);
	*ret = NULL;
}

bool
work_take(struct work *work, struct exchange *exchange)
{
	bool room;

	pthread_mutex_lock(&work->lock);
	room = work->waiting.count < work->queue_max;
	if (room) {
		append(&work->waiting, exchange);
		pthread_cond_signal(&work->change);
	}
	pthread_mutex_unlock(&work->lock);
	return room;
}
