// Signals as they happen, while somebody looks: a page that is not seen holds
// no connection, of which a browser has few.

const RETRY_MS = 10000;

// hear: {signals(items), lost(), state(connected)}. Returns what ends it.
export function follow(path, hear) {
	let source = null, retry = null;
	const close = () => {
		clearTimeout(retry);
		source?.close();
		source = null;
	};
	const open = () => {
		source = new EventSource(`/api/v1${path}`);
		source.addEventListener("open", () => hear.state(true));
		source.addEventListener("error", () => {
			hear.state(false);
			// a browser tries a refusal no second time by itself
			if (source?.readyState === EventSource.CLOSED)
				retry = setTimeout(open, RETRY_MS);
		});
		source.addEventListener("message", (event) => hear.signals(JSON.parse(event.data).items));
		source.addEventListener("lost", () => hear.lost());
		source.addEventListener("end", () => {
			close();
			document.dispatchEvent(new Event("signed-out"));
		});
	};
	const look = () => {
		if (document.hidden)
			close();
		else if (!source)
			open();
	};
	document.addEventListener("visibilitychange", look);
	look();
	return () => {
		document.removeEventListener("visibilitychange", look);
		close();
	};
}

// Does it now and every so many seconds, while somebody looks. Returns what
// ends it.
export function repeat(seconds, action) {
	const timer = setInterval(() => document.hidden || action(), seconds * 1000);
	action();
	return () => clearInterval(timer);
}
