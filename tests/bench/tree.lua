-- The requests of tests/bench/redis, for wrk. Arguments after "--": how many files the tree has, and then nothing (make
-- them, each thread its share, and then read), or lookup, listing or write, and the number of the round.
-- Ends with one line: requests, microseconds, errors.

local threads = 0
function setup(thread)
  thread:set("id", threads)
  threads = threads + 1
end

local files, mode, round
local count = -1 -- wrk throws the first request away

local function path(i)
  return "/files/tree/d" .. math.floor(i / 1000) .. "/f" .. i % 1000
end

function init(args)
  files, mode, round = tonumber(args[1]), args[2], args[3]
  math.randomseed(id + 1)
end

function request()
  if mode == "lookup" then return wrk.format("GET", path(math.random(0, files - 1))) end
  if mode == "listing" then return wrk.format("GET", "/files/tree/d" .. math.random(0, files / 1000 - 1) .. "/") end
  count = count + 1
  if mode == "write" then
    local name = "/files/written/r" .. round .. "-" .. id .. "-" .. count % 64 .. "/" .. count
    return wrk.format("PUT", name, nil, string.format("%-99s", name))
  end
  local i = (count - 1) * 2 + id
  if i < 0 or i >= files then return wrk.format("GET", path(0)) end
  return wrk.format("PUT", path(i), nil, string.format("%-99s", i))
end

function done(summary)
  local errors = summary.errors
  io.write(string.format("RESULT %d %d %d\n", summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
