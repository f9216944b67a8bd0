#!lua name=till
-- The flow in Redis: one function a post, each atomic. A post that comes again changes nothing.
--
-- account:<id>, offer:<id> (hash), post:<id> (hash: a purchase), confirmed:<id>, pending:<account>:<offer> (a post),
-- counted:<account>:<offer>, due (sorted by deadline), captures (a list that a worker takes from).

local function buy(_, args)
  local post, account, offer, now = args[1], args[2], args[3], tonumber(args[4])
  if redis.call('EXISTS', 'post:' .. post) == 1 then return 'repeated' end
  if redis.call('GET', 'account:' .. account) ~= 'active' then return redis.error_reply('not linked') end
  local it = redis.call('HMGET', 'offer:' .. offer, 'live', 'starts', 'ends', 'price', 'per_account', 'window', 'available')
  if it[1] ~= '1' or now < tonumber(it[2]) or now >= tonumber(it[3]) then return redis.error_reply('not on sale') end
  local buyer = account .. ':' .. offer
  if redis.call('EXISTS', 'pending:' .. buyer) == 1 then return redis.error_reply('pending already') end
  local counted = tonumber(redis.call('GET', 'counted:' .. buyer) or '0')
  if counted >= tonumber(it[5]) then return redis.error_reply('limit reached') end
  if tonumber(it[7]) < 1 then return redis.error_reply('sold out') end
  local deadline = now + tonumber(it[6])
  redis.call('HINCRBY', 'offer:' .. offer, 'available', -1)
  redis.call('HSET', 'post:' .. post, 'account', account, 'offer', offer, 'status', 'pending', 'price', it[4],
    'created', now, 'expires', deadline)
  redis.call('SET', 'pending:' .. buyer, post)
  redis.call('INCR', 'counted:' .. buyer)
  redis.call('ZADD', 'due', deadline, post)
  return 'pending'
end

local function confirm(_, args)
  local post, account, offer, now = args[1], args[2], args[3], tonumber(args[4])
  if redis.call('EXISTS', 'confirmed:' .. post) == 1 then return 'repeated' end
  local buyer = account .. ':' .. offer
  local purchase = redis.call('GET', 'pending:' .. buyer)
  if not purchase then return redis.error_reply('nothing to confirm') end
  local held = redis.call('HMGET', 'post:' .. purchase, 'expires', 'price')
  if now > tonumber(held[1]) then return redis.error_reply('too late') end
  redis.call('HSET', 'post:' .. purchase, 'status', 'capturing')
  redis.call('DEL', 'pending:' .. buyer)
  redis.call('ZREM', 'due', purchase)
  redis.call('SET', 'confirmed:' .. post, purchase)
  redis.call('RPUSH', 'captures', purchase .. ' ' .. held[2])
  return 'confirmed'
end

redis.register_function('buy', buy)
redis.register_function('confirm', confirm)
