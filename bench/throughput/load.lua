-- The requests and the report of wrk, configured by environment variables: see wrk.ts.
local paced = tonumber(os.getenv('RATE') or '')
local prepared = {}
local turn = 0

function init()
  local headers = {}
  for name, value in string.gmatch(os.getenv('HEADERS') or '', '([^:\n]+): ([^\n]*)') do headers[name] = value end
  local bytes = tonumber(os.getenv('BODY_BYTES'))
  local frame = '{"text":""}'
  local body = bytes > 0 and '{"text":"' .. string.rep('x', bytes - #frame) .. '"}' or nil
  if body then headers['content-type'] = 'application/json' end
  for credential in io.lines(os.getenv('CREDENTIALS')) do
    local bearer = string.sub(credential, 1, 7) == 'Bearer '
    headers['authorization'] = bearer and credential or nil
    headers['cookie'] = not bearer and credential ~= '-' and credential or nil
    prepared[#prepared + 1] = wrk.format(os.getenv('METHOD'), nil, headers, body)
  end
end

function request()
  turn = turn % #prepared + 1
  return prepared[turn]
end

if paced then
  -- An open loop: send times follow a Poisson process and do not depend on the responses.
  local ffi = require('ffi')
  ffi.cdef('typedef struct { long s; long ns; } bench_time; int clock_gettime(int, bench_time *);')
  local time = ffi.new('bench_time')
  local function now()
    ffi.C.clock_gettime(1, time)
    return tonumber(time.s) * 1000 + tonumber(time.ns) / 1e6
  end
  local due
  function delay()
    due = (due or now()) - math.log(1 - math.random()) * 1000 / paced
    -- wrk sleeps for whole milliseconds: random rounding keeps the mean rate right.
    return math.max(0, math.floor(due - now() + math.random()))
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('\nRESULT {"requests":%d,"seconds":%f,"bytes":%d,"errors":%d,"p50Ms":%f,"p99Ms":%f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
