/* tocsin-load: synthetic panels. man tocsin-load */
#include "config.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/exit.h"
#include "load/report.h"

struct worker {
	pthread_t thread;
	bool running;
	struct lines ledger;
	struct generator *generator;
	int result;
	struct err err;
};

static void
on_signal(int number)
{
	(void)number;
	generator_stop();
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN); /* TLS writes without MSG_NOSIGNAL */
}

/* A connection each: take as many descriptors as we may. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void *
worker_main(void *context)
{
	struct worker *worker = context;

	worker->result = generator_run(worker->generator, &worker->err);
	return NULL;
}

/* Thread i of n does its share of the panels, of the rate and of the count. */
static int
worker_open(struct worker *worker, const struct load_options *o,
    const struct lines *ledger, unsigned i, struct err *err)
{
	unsigned n = o->threads;
	unsigned first = (unsigned)((uint64_t)o->panels * i / n);
	unsigned next = (unsigned)((uint64_t)o->panels * (i + 1) / n);
	struct generator_settings settings = {
		.options = o,
		.ledger = &worker->ledger,
		.first_panel = first,
		.panel_count = next - first,
		.rate = o->rate / n,
		.count = o->count * (i + 1) / n - o->count * i / n,
		.id_step = n,
		.id_offset = i + 1,
	};
	int result = lines_share(ledger, &worker->ledger, err);

	if (result == 0)
		result = generator_open(&worker->generator, &settings, err);
	return result;
}

static int
run_workers(struct worker *workers, unsigned count, struct err *err)
{
	int result = 0;

	for (unsigned i = 1; i < count && result == 0; i++) {
		int error = pthread_create(&workers[i].thread, NULL,
		    worker_main, &workers[i]);

		workers[i].running = error == 0;
		if (error != 0) {
			result = err_set(err, -error, "cannot make a thread");
			generator_stop();
			generator_stop();
		}
	}
	worker_main(&workers[0]);
	for (unsigned i = 1; i < count; i++)
		if (workers[i].running)
			pthread_join(workers[i].thread, NULL);
	for (unsigned i = 0; i < count && result == 0; i++)
		if (workers[i].result < 0)
			result = err_set(err, workers[i].result, "%s",
			    workers[i].err.text);
	return result;
}

static int
run(const struct load_options *o, struct generator_stats *total,
    struct err *err)
{
	struct worker *workers = calloc(o->threads, sizeof(*workers));
	struct lines ledger = { 0 };
	int result = 0;

	if (!workers)
		return err_set(err, -ENOMEM, "out of memory");
	if (o->ledger)
		result = lines_open(&ledger, o->ledger, o->ledger_sync, err);
	for (unsigned i = 0; i < o->threads && result == 0; i++)
		result = worker_open(&workers[i], o, &ledger, i, err);
	if (result == 0) {
		catch_signals();
		result = run_workers(workers, o->threads, err);
	}
	for (unsigned i = 0; i < o->threads; i++) {
		if (workers[i].generator)
			report_merge(total,
			    generator_stats(workers[i].generator));
		generator_close(&workers[i].generator);
		lines_close(&workers[i].ledger);
	}
	lines_close(&ledger);
	free(workers);
	return result;
}

static void
print_help(void)
{
	printf("usage: tocsin-load --target HOST:PORT [OPTION...]\n"
	       "Synthetic panels: load, latency, and a ledger of what was "
	       "acknowledged.\n\n");
	option_print_help(load_option_rows, stdout);
}

int
main(int argc, char **argv)
{
	static struct generator_stats total;
	struct load_options options;
	struct err err;
	int result = load_options_read(argc, argv, &options, &err);

	if (result < 0) {
		fprintf(stderr, "tocsin-load: %s\n", err.text);
		return EXIT_STATUS_USAGE;
	}
	if (options.help || options.version) {
		if (options.help)
			print_help();
		else
			printf("tocsin-load " PACKAGE_VERSION "\n");
		return EXIT_STATUS_OK;
	}
	raise_descriptor_limit();
	result = run(&options, &total, &err);
	if (result < 0) {
		fprintf(stderr, "tocsin-load: %s\n", err.text);
		return EXIT_STATUS_UNAVAILABLE;
	}
	if (options.json)
		report_print_json(&total, stdout);
	else
		report_print(&total, stdout);
	return total.acknowledged == total.sent || options.allow_unacknowledged
	    ? EXIT_STATUS_OK
	    : EXIT_STATUS_FAILED;
}
