-- The requests of tests/bench/run, for wrk. Arguments after "--":
--   put SIZE NAME [DURABILITY]   every request puts a new file of SIZE bytes, no two alike, beneath /files/bench/NAME
--   get COUNT NAME               every request gets one of COUNT files /files/bench/NAME/0, 1, ... by chance
-- Ends with one line: requests, microseconds, errors, p50 and p99 of the latency in microseconds.

local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local mode, number, name, headers, filler
local count = 0

function init(args)
  mode, number, name = args[1], tonumber(args[2]), args[3]
  if mode == "put" then
    -- Only the first bytes differ: enough for another digest, and cheap to make.
    filler = string.rep("kaiku echo ", math.ceil(number / 11)):sub(1, number - 32)
    if args[4] then headers = {["Kaiku-Durability"] = args[4]} end
  end
  math.randomseed(id + 1)
end

function request()
  if mode == "get" then
    return wrk.format("GET", "/files/bench/" .. name .. "/" .. math.random(0, number - 1))
  end
  count = count + 1
  local body = string.format("%-32s", name .. " " .. id .. " " .. count) .. filler
  return wrk.format("PUT", "/files/bench/" .. name .. "/" .. id .. "-" .. count % 64 .. "/" .. count, headers, body)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
