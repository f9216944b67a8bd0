# Confirm. The account's newest pending purchase of that offer decides; without one, its newest purchase.

story: the straight way
  offer Shirt: #BuyShirt, 15.00 USD, 3 in stock
  buyer alice on x pays with tok_visa
  post alice p1 "I want it #BuyShirt" → pending
  reply to p1 says "#ConfirmShirt"
  sent p1
  after 5 minutes
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  gateway says paid to alice Shirt
  purchase alice Shirt is paid
  order alice Shirt is unfulfilled to US
  stock Shirt: 2 available, 0 held, 1 sold
  events: purchase.pending, reply.sent, purchase.confirmed, purchase.paid, order.created
story: confirmed on another network of the same account
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x and mastodon
  post alice p1 "#BuyShirt" on x → pending
  post alice p2 "#ConfirmShirt" on mastodon → confirmed

# Pending, created_at of the purchase post ≤ t ≤ expires_at: confirmed.
story: the last millisecond confirms
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 15 minutes
  post alice p2 "#ConfirmShirt" → confirmed
story: a millisecond later is too late
  offer Shirt: #BuyShirt, 3 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 15 minutes 1 ms
  post alice p2 "#ConfirmShirt" → too_late
  purchase alice Shirt is expired
  stock Shirt: 3 available, 0 held, 0 sold
story: a confirmation made with its purchase post counts
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt", made 0 ms ago → confirmed
# A confirm older than its purchase belongs to an earlier hold and confirms nothing.
story: a confirmation older than its purchase confirms nothing
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt", made 1 ms ago → nothing_to_confirm
  purchase alice Shirt is pending

# In time by t, but it arrives after the hold expired: confirmed if a unit is free, else sold_out.
story: in time, delivered late, a unit is free
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 20 minutes
  tick → 1 freed
  purchase alice Shirt is expired
  post alice p2 "#ConfirmShirt", made 6 minutes ago → confirmed
  purchase alice Shirt is capturing
  stock Shirt: 0 available, 1 held, 0 sold
story: in time, delivered late, no unit is free
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 20 minutes
  tick → 1 freed
  post bob p2 "#BuyShirt" → pending
  post alice p3 "#ConfirmShirt", made 6 minutes ago → sold_out
  purchase alice Shirt is expired
  reply to p3 says "Nothing was charged"
story: in time, delivered late, before the scan came
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 20 minutes
  post alice p2 "#ConfirmShirt", made 6 minutes ago → confirmed
# t > expires_at: too_late, and the hold ends now.
story: too late and told so
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 16 minutes
  post alice p2 "#ConfirmShirt" → too_late
  reply to p2 says "nothing was charged"
  stock Shirt: 1 available, 0 held, 0 sold
  post alice p3 "#BuyShirt" → pending
story: too late after the scan came
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  sent p1
  after 20 minutes
  tick → 1 freed
  post alice p2 "#ConfirmShirt" → too_late

# capturing or paid: already_confirmed. Nothing: nothing_to_confirm.
story: confirmed twice
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  post alice p3 "#ConfirmShirt" → already_confirmed
  gateway says paid to alice Shirt
  post alice p4 "#ConfirmShirt" → already_confirmed
  attempts alice Shirt: paid
story: nothing to confirm
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#ConfirmShirt" → nothing_to_confirm
  reply to p1 says "#BuyShirt"
story: nothing to confirm after a decline
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says declined to alice Shirt
  post alice p3 "#ConfirmShirt" → nothing_to_confirm
story: another buyer's hold is not theirs to confirm
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#ConfirmShirt" → nothing_to_confirm
story: the newest purchase is the one that is confirmed
  offer Shirt: #BuyShirt, 3 in stock, limit 2
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  post alice p3 "#BuyShirt" → pending
  post alice p4 "#ConfirmShirt" → confirmed
  purchase alice first Shirt is paid
  purchase alice Shirt is capturing

# Linked, not suspended and shipping are checked again; a paused or ended offer still honours its holds.
story: a stranger cannot confirm
  offer Shirt: #BuyShirt, 3 in stock
  post stranger p1 "#ConfirmShirt" → not_linked
story: suspended before confirming
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  suspend alice
  post alice p2 "#ConfirmShirt" → account_suspended
  purchase alice Shirt is pending
story: moved away before confirming
  offer Shirt: #BuyShirt, 3 in stock, ships to US
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  move alice to CA
  post alice p2 "#ConfirmShirt" → cannot_ship
story: unlinked before confirming
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  link alice mastodon
  post alice p2 "#ConfirmShirt" on x → not_linked
story: a paused offer honours its holds
  offer Shirt: #BuyShirt, 3 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  pause Shirt
  post alice p2 "#ConfirmShirt" → confirmed
story: an ended offer honours its holds
  offer Shirt: #BuyShirt, 3 in stock
  offer Mug: #BuyMug, 3 in stock, ends in 5 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyMug" → pending
  finish Shirt
  after 6 minutes
  post alice p3 "#ConfirmShirt" → confirmed
  post alice p4 "#ConfirmMug" → confirmed
