-- Each thread creates an image with an id of its own and deletes it again; see wrk's SCRIPTING.

local threads = 0
function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

function init()
    -- A run's ids must not meet those of an earlier run: Glance never forgets an id.
    math.randomseed(os.time() * 1000 + number)
    image, asked = nil, false
end

local function uuid()
    return (("xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx"):gsub("x", function()
        return ("%x"):format(math.random(0, 15))
    end))
end

function request()
    local headers = { ["Content-Type"] = "application/json", ["X-Auth-Token"] = wrk.headers["X-Auth-Token"] }
    if image then
        local path = "/v2/images/" .. image
        image = nil
        return wrk.format("DELETE", path, headers)
    end
    local id = uuid()
    -- wrk looks at one request before it begins and never sends it.
    if asked then image = id end
    asked = true
    return wrk.format("POST", "/v2/images", headers, ('{"id": "%s", "name": "bench"}'):format(id))
end
