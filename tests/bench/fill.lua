-- Fills a directory, for wrk with two threads. Arguments after "--": COUNT NAME MARKS: COUNT files of a few bytes, f0000000,
-- f0000001, ... beneath /files/bench/NAME, sixteen at a time on each connection. Ends by itself, with one line: how many could
-- not be made. MARKS is a file that is not there.

local threads = {}
function setup(thread)
  thread:set("id", #threads)
  table.insert(threads, thread)
end

local share, step, name, marks, tried
local asked, answered = 0, 0
failed = 0

function init(args)
  step = 2 -- as many as `-t` says
  share, name, marks = math.ceil((tonumber(args[1]) - id) / step), args[2], args[3]
  tried = id > 0
end

-- wrk counts what one call gives, once, on the first thread, and then waits for as many answers each time.
function request()
  local first, batch = asked, {}
  for i = 1, 16 do
    if asked == share then
      batch[i] = wrk.format("GET", "/healthz/live")
    else
      local number = asked * step + id
      batch[i] = wrk.format("PUT", string.format("/files/bench/%s/f%07d", name, number), nil, tostring(number))
      asked = asked + 1
    end
  end
  if not tried then
    tried, asked = true, first
  end
  return table.concat(batch)
end

function response(status)
  if status == 200 then return end -- of a request that had nothing left to make
  if status ~= 201 then failed = failed + 1 end
  answered = answered + 1
  if answered < share then return end
  wrk.thread:stop()
  -- wrk itself sleeps to the end of its time unless it is interrupted; by the last thread.
  local file = io.open(marks, "a")
  file:write("x")
  if file:seek("end") == step then io.popen("kill -INT $PPID") end -- os.execute would have it ignored
  file:close()
end

function done()
  local all = 0
  for _, thread in ipairs(threads) do all = all + thread:get("failed") end
  io.write("FAILED " .. all .. "\n")
end
