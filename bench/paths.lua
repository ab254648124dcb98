-- Each request is for another of the paths that a file lists, in no order; see wrk's SCRIPTING.

local paths = {}

function init(arguments)
    for path in io.lines(arguments[1]) do
        paths[#paths + 1] = path
    end
    math.randomseed(os.time())
end

function request()
    return wrk.format("GET", paths[math.random(#paths)])
end
