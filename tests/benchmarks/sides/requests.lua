-- wrk sends one sentence a request, different ones in turn, and prints what it found as JSON.
--   wrk ... -s requests.lua URL -- FILE START
-- FILE has the body of a request on each line; START is the number of the first to send.

local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(arguments)
  requests = {}
  local headers = {["Content-Type"] = "application/json"}
  for body in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
  -- Each thread begins elsewhere.
  position = tonumber(arguments[2]) + number * 7919
end

function request()
  position = position + 1
  return requests[position % #requests + 1]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "bad": %d, "lost": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.status, errors.connect + errors.read + errors.write + errors.timeout
  ))
end
