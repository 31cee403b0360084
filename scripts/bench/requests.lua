-- Plays the file of presign (environment variable REQUESTS) in order, and from its beginning again at its end.
-- Both sides get their requests through this script, so that what it costs, it costs both.
local requests, position, count = {}, 0, 0

function init()
   local file = assert(io.open(os.getenv("REQUESTS"), "rb"))
   local length, number = file:read("*n", "*n")
   file:read(1)
   for k = 1, number do
      requests[k] = file:read(length)
   end
   file:close()
   count = number
end

function request()
   position = position % count + 1
   return requests[position]
end
