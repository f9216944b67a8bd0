# Until its reply is sent, expires_at = arrival + reply_wait_seconds + window.
story: a hold waits for its reply
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  after 25 minutes
  post alice p2 "#ConfirmShirt" → confirmed
story: and no longer than that
  network x: reply wait 5 minutes
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  after 20 minutes 1 ms
  post alice p2 "#ConfirmShirt" → too_late
# The first sent sets it, once, to clamp(sent_at, reply queued, arrival of sent) + window.
story: the window runs from the moment the reply was out
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  after 4 minutes
  sent p1, out 2 minutes ago
  after 13 minutes 1 ms
  post alice p2 "#ConfirmShirt" → too_late
story: a reply cannot be out before it was queued
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1, out 10 minutes ago
  after 15 minutes
  post alice p2 "#ConfirmShirt" → confirmed
story: a reply cannot be out after its bridge said so
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1, out in 10 minutes
  after 15 minutes 1 ms
  post alice p2 "#ConfirmShirt" → too_late
story: sent sets the window once
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 10 minutes
  sent p1
  sent p1 as another → refused: differs
  after 5 minutes 1 ms
  post alice p2 "#ConfirmShirt" → too_late
# failed without retry sets it to that time + window.
story: a reply that cannot be posted
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  failed p1
  reply to p1 is queued
  after 1 minute
  failed p1 for good
  reply to p1 is failed
  after 15 minutes 1 ms
  post alice p2 "#ConfirmShirt" → too_late
# The scan frees a hold at expires_at + grace_seconds.
story: the scan waits for the grace, to the millisecond
  network x: grace 30 seconds
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 15 minutes 29 seconds 999 ms
  tick → 0 freed
  after 1 ms
  tick → 1 freed
  purchase alice Shirt is expired
# t of a post = its created_at, not later than arrival; without one, arrival.
story: a network whose clock is ahead
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt", made in 5 minutes → pending
  post alice p2 "#ConfirmShirt" → confirmed
story: an edit of the window does not touch a hold
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  change Shirt window to 5 minutes
  sent p1
  after 10 minutes
  post alice p2 "#ConfirmShirt" → confirmed
