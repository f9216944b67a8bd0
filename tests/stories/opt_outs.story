# Whoever opted out on a network gets no reply there at all; posts are judged as ever.
story: judged as ever, and nothing is posted
  offer Shirt: #BuyShirt, 3 in stock, window 5 minutes
  buyer alice on mastodon
  opts out alice on mastodon
  post alice p1 "#BuyShirt" → pending
  no reply to p1
  post alice p2 "#BuyShirt" → already_pending
  no reply to p2
  outbox: 0
  # Nothing is sent, so the hold lasts from its arrival on: ten minutes of waiting for the reply, and the window.
  after 14 minutes 59 seconds
  post alice p3 "#ConfirmShirt" → confirmed
  no reply to p3
  gateway says paid to alice Shirt
  ship alice Shirt
  no reply to p3
  outbox: 0
  order alice Shirt is shipped to US
story: too late counts from the arrival, too
  offer Shirt: #BuyShirt, 3 in stock, window 5 minutes
  buyer alice on mastodon
  opts out alice on mastodon
  post alice p1 "#BuyShirt" → pending
  after 15 minutes 1 second
  post alice p2 "#ConfirmShirt" → too_late
  no reply to p2
story: what is queued is dropped, and only theirs
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on mastodon and bluesky
  buyer bob on mastodon
  post bob b1 "#BuyShirt" → pending
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyShirt" on bluesky → already_pending
  bridge on mastodon sees b1 p1
  opts out alice on mastodon
  bridge on mastodon sees b1
  bridge on bluesky sees p2
  reply to p1 is dropped
  purchase alice Shirt is pending
  opts out alice on mastodon
story: who comes back is answered again
  offer Shirt: #BuyShirt, 3 in stock
  opts out stranger on x
  post stranger p1 "#BuyShirt" → not_linked
  no reply to p1
  opts in stranger on x
  post stranger p2 "#BuyShirt" → not_linked
  reply to p2 says "link"
  opts in stranger on x
story: the answer after the capture is not posted either
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  opts out alice on x
  gateway says paid to alice Shirt
  no reply to p2
  outbox: 0
story: whose turn it is has the hold without a word
  offer Shirt: #BuyShirt, 1 in stock, waiting list
  buyer alice on mastodon
  buyer bob on mastodon
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → waitlisted, number 1
  opts out bob on mastodon
  post alice p3 "#PassShirt" → passed
  purchase bob Shirt is pending
  reply to p2 is dropped
  post bob p4 "#ConfirmShirt" → confirmed
  no reply to p4
# It is the person's wish on that network, not the account's: erasing leaves it.
story: erasing forgets the account, not the wish
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on mastodon
  opts out alice on mastodon
  erase alice
  post alice p1 "#BuyShirt" → not_linked
  no reply to p1
story: a network that nobody knows
  opts out alice on nowhere → refused: This till knows no network called "nowhere": PUT /v1/networks/{slug} adds one.
