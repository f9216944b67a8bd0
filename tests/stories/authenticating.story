# The card's bank asks for its owner: one step is left at the gateway. The purchase goes on with the same charge.

# The buyer is told once, neutrally; stock is kept; nothing is charged yet.
story: one step is left, and it is done in time
  network sandbox: we are shop
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on sandbox
  post alice p1 "#BuyShirt" on sandbox → pending
  post alice p2 "#ConfirmShirt" on sandbox → confirmed
  reply to p2 says "being charged"
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  purchase alice Shirt is capturing
  attempts alice Shirt: waiting
  stock Shirt: 0 available, 1 held, 0 sold
  events: purchase.authentication_required
  reply to p2 says "One step is left"
  reply to p2 says "within 60 minutes. Nothing is charged yet."
  reply to p2 never says "http"
  reply to p2 never says "bank"
  why p2 goes on with "asked for one step at the provider"
  gateway says paid to alice Shirt
  purchase alice Shirt is paid
  attempts alice Shirt: paid
  stock Shirt: 0 available, 0 held, 1 sold
  reply to p2 says "One step is left"
# The same answer changes nothing, and moves no deadline.
story: the buyer is told once and the deadline stays
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" on mastodon → pending
  post alice p2 "#ConfirmShirt" on mastodon → confirmed
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  outbox: 3
  after 59 minutes 50 seconds
  gateway says owner to alice Shirt
  outbox: 3
  capture alice Shirt is due in 10 seconds
  after 10 seconds
  gateway says canceled to alice Shirt
  code alice Shirt is authentication_expired
# Asked now and then; at once where the buyer comes back; at the deadline at the latest.
story: when the gateway is asked
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  back alice Shirt
  gateway says created to alice Shirt
  gateway says unknown to alice Shirt
  capture alice Shirt is due in about 1 second
  gateway says unknown to alice Shirt
  capture alice Shirt is due in about 2 seconds
  back alice Shirt
  capture alice Shirt is due in about 2 seconds
  gateway says owner to alice Shirt
  capture alice Shirt is due in 30 seconds
  back alice Shirt
  capture alice Shirt is due in 0 seconds
  gateway says owner to alice Shirt
  capture alice Shirt is due in 30 seconds
  gateway says unknown to alice Shirt
  capture alice Shirt is due in about 1 second
  gateway says paid to alice Shirt
  capture alice Shirt is over
  back alice Shirt
  purchase alice Shirt is paid
# At the end the gateway's word is waited for, however long: the units stay held until then.
story: the deadline passes
  network mastodon: we are shop
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on mastodon
  post alice p1 "#BuyShirt" on mastodon → pending
  post alice p2 "#ConfirmShirt" on mastodon → confirmed
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  after 1 hour
  tick → 0 freed
  gateway says unknown to alice Shirt
  after 3 days
  tick
  gateway says owner to alice Shirt
  purchase alice Shirt is capturing
  stock Shirt: 0 available, 1 held, 0 sold
  gateway says canceled to alice Shirt
  purchase alice Shirt is declined
  code alice Shirt is authentication_expired
  stock Shirt: 1 available, 0 held, 0 sold
  reply to p2 says "could not be completed and nothing was charged"
story: the owner was faster than the deadline
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  after 2 hours
  gateway says paid to alice Shirt
  purchase alice Shirt is paid
  order alice Shirt is unfulfilled to US
# Where one reply is all that a post gets, the step that is left is that reply.
story: one reply a post
  network x: one reply a post
  offer Shirt: #BuyShirt, 2 in stock, limit 2
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  no reply to p2
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  reply to p2 says "One step is left"
  outbox: 2
  gateway says declined to alice Shirt
  purchase alice Shirt is declined
  reply to p2 says "One step is left"
  outbox: 2
# What waits for its owner is there: it is not lost, not begun anew, and waits for nobody once it is over.
story: stray answers
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says owner to alice Shirt
  attempts alice Shirt: new
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  gateway says lost to alice Shirt
  gateway says created to alice Shirt
  attempts alice Shirt: waiting
  cancel alice Shirt → refused: gateway
  gateway says canceled to alice Shirt
  code alice Shirt is canceled
  gateway says owner to alice Shirt
  purchase alice Shirt is declined
  attempts alice Shirt: declined
# An erased account keeps what is in flight until it is over.
story: erasing waits for the owner, too
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  gateway says owner to alice Shirt
  erase alice
  account alice is erasing and known
  gateway says declined to alice Shirt
  account alice is erased and forgotten
