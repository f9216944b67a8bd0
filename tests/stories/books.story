# What a provider tells only makes the till ask; what it shows then is what counts.
story: an event is taken once
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  provider tells e1 → taken
  provider tells e1 → repeated
  provider is unsure
  purchase alice Shirt is capturing
  provider shows alice Shirt paid
  purchase alice Shirt is paid
  books of shop: charge 1500; 1500 due
  provider tells e1 → repeated
  gateway says paid to alice Shirt
  books of shop: charge 1500; 1500 due
story: what is not the charge that was asked for changes nothing
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says created to alice Shirt
  provider tells e1 → taken
  provider shows alice Shirt paid as pay_other
  purchase alice Shirt is capturing
  provider tells e2 → taken
  provider shows alice Shirt paid of 14.00 USD
  purchase alice Shirt is capturing
  provider tells e3 → taken
  provider shows alice Shirt paid of 15.00 EUR
  purchase alice Shirt is capturing
  provider tells e4 → taken
  provider shows alice Shirt paid attempt 2
  purchase alice Shirt is capturing
  provider tells e5 → taken
  provider knows nothing
  purchase alice Shirt is capturing
# A late success is found, although the answer to its creation was lost: it gets its name, so that it can be given back.
story: a late success that nobody asked for
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says lost to alice Shirt
  gateway says declined to alice Shirt
  purchase alice Shirt is declined
  provider tells e1 → taken
  provider shows alice Shirt paid attempt 1 as pay_late
  given back alice Shirt: $15.00 pending by itself
  books of shop: late_charge 1500; 0 due
  bank gives back to alice Shirt
  books of shop: late_charge 1500, late_refund 1500; 0 due
# Refunds that were made in the provider's dashboard.
story: refunds made at the gateway
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  provider tells e1 → taken
  provider shows alice Shirt paid, refund re_9 5.00 USD succeeded
  given back alice Shirt: $5.00 succeeded
  books of shop: charge 1500, refund 500; 1000 due
  provider tells e2 → taken
  provider shows alice Shirt paid, refund re_9 5.00 USD succeeded, refund re_10 10.00 USD pending
  given back alice Shirt: $5.00 succeeded
  provider tells e3 → taken
  provider shows alice Shirt paid, refund re_10 10.00 USD succeeded, refund re_9 5.00 USD succeeded
  purchase alice Shirt is refunded
  order alice Shirt is cancelled to US
  stock Shirt: 0 available, 0 held, 1 sold
  books of shop: charge 1500, refund 500, refund 1000; 0 due
story: a refund of ours that the provider tells first
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt 5.00
  provider tells e1 → taken
  provider shows alice Shirt paid, refund re_1 ours 1 5.00 USD succeeded
  given back alice Shirt: $5.00 succeeded
  bank gives back to alice Shirt, refund 1
  books of shop: charge 1500, refund 500; 1000 due
# A late failure: the bank sends a refund back. Somebody has to look; the order stays cancelled, its unit stays free.
story: a refund that comes back
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt and restock
  bank gives back to alice Shirt
  stock Shirt: 1 available, 0 held, 0 sold
  provider tells e1 → taken
  provider shows alice Shirt paid, refund re_1 ours 1 15.00 USD failed
  given back alice Shirt: $15.00 failed
  purchase alice Shirt is paid
  order alice Shirt is cancelled to US
  stock Shirt: 1 available, 0 held, 0 sold
  events purchase.refunded, order.cancelled, refund.failed
  books of shop: charge 1500, refund 1500, refund_returned 1500; 1500 due
  ship alice Shirt → refused: This order is cancelled already.
  refund alice Shirt
  bank gives back to alice Shirt, refund 2
  purchase alice Shirt is refunded
  stock Shirt: 1 available, 0 held, 0 sold
  books of shop: charge 1500, refund 1500, refund_returned 1500, refund 1500; 0 due
# A dispute stops shipping and refunds until it is decided.
story: a dispute that is won
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  provider tells e1 → taken
  provider shows alice Shirt paid, dispute dp_1 15.00 USD open
  events purchase.paid, order.created, purchase.disputed
  stock Shirt: 0 available, 0 held, 1 sold
  books of shop: charge 1500, dispute 1500; 0 due
  ship alice Shirt → refused: This order's charge is disputed; do not ship it.
  refund alice Shirt → refused: This purchase is disputed: its bank has the money, or gives it back itself. Answer the dispute at the gateway.
  provider tells e2 → taken
  provider shows alice Shirt paid, dispute dp_1 15.00 USD won
  events purchase.disputed, purchase.dispute_closed
  books of shop: charge 1500, dispute 1500, dispute_won 1500; 1500 due
  provider tells e3 → taken
  provider shows alice Shirt paid, dispute dp_1 15.00 USD open
  books of shop: charge 1500, dispute 1500, dispute_won 1500; 1500 due
  ship alice Shirt
  order alice Shirt is shipped to US
story: a dispute that is lost
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  provider tells e1 → taken
  provider shows alice Shirt paid, dispute dp_1 15.00 USD lost
  books of shop: charge 1500, dispute 1500; 0 due
  ship alice Shirt → refused: This order's charge is disputed; do not ship it.
# An inquiry leaves the money where it is: giving it back is what ends it best.
story: an inquiry
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  provider tells e1 → taken
  provider shows alice Shirt paid, dispute dp_1 15.00 USD inquiry
  books of shop: charge 1500; 1500 due
  ship alice Shirt → refused: This order's charge is disputed; do not ship it.
  refund alice Shirt
  bank gives back to alice Shirt
  purchase alice Shirt is refunded
  books of shop: charge 1500, refund 1500; 0 due
# Credits of deals are the merchant's cost.
story: credits in the books
  offer Deal: #GetDeal, gives 25.00 USD for 75.00 USD
  buyer alice on x
  post alice p1 "#GetDeal" → enrolled
  spends t1 alice 80.00 USD at shop
  credit says created to alice Deal
  credit says paid to alice Deal
  books of shop: credit 2500; -2500 due
  reverses t2 of t1 alice 80.00 USD at shop
  credit says given back to alice Deal
  books of shop: credit 2500, credit_reversal 2500; 0 due
# Orders ship in parts; with the last unit they are shipped.
story: parcels
  offer Shirt: #BuyShirt, 15.00 USD, 5 in stock, limit 3, up to 3 at once
  buyer alice on x
  post alice p1 "x3 #BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  ship alice Shirt 2
  order alice Shirt is unfulfilled to US
  ship alice Shirt 2 → refused: units: must be from 1 to 1
  cancel order alice Shirt → refused: This order is partly shipped already; refund its purchase instead.
  refund alice Shirt and restock → refused: restock: is not possible: the order was shipped
  ship alice Shirt
  order alice Shirt is shipped to US
  ship alice Shirt → refused: This order is shipped already.
# A merchant who cannot ship gives all back; from then on it must not be shipped.
story: an order is cancelled
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  cancel order alice Shirt and restock
  ship alice Shirt → refused: This order is being refunded in full; do not ship it.
  cancel order alice Shirt → refused: All of this purchase is being refunded already.
  order alice Shirt is unfulfilled to US
  bank gives back to alice Shirt
  order alice Shirt is cancelled to US
  stock Shirt: 1 available, 0 held, 0 sold
