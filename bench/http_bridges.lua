-- Bridges for bench.py, in wrk(1): each request is the next bridge's alarm. The
-- argument is a file with a bearer key on each line.
local requests = {}
local at = 0

function init(arguments)
	for bearer in io.lines(arguments[1]) do
		local headers = {
			["Authorization"] = "Bearer " .. bearer,
			["Content-Type"] = "application/json",
		}
		requests[#requests + 1] = wrk.format("POST", "/v1/events", headers,
			'{"qualifier":"E","code":"130","partition":"01","zone":"001"}')
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end

function done(summary, latency)
	local errors = summary.errors
	io.write(string.format('{"acknowledged":%d,"rate":%f,"errors":%d,' ..
		'"latency_us":{"p50":%d,"p99":%d,"p99_9":%d}}\n',
		summary.requests, summary.requests * 1e6 / summary.duration,
		errors.connect + errors.read + errors.write + errors.status +
		errors.timeout, latency:percentile(50), latency:percentile(99),
		latency:percentile(99.9)))
end
