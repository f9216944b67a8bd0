# There is no gateway here: `gateway says …` is what a gateway would have answered.

# confirmed stores method and amount with the purchase; later edits never touch them.
story: a later card and a later price are not charged
  offer Shirt: #BuyShirt, 15.00 USD, 3 in stock
  buyer alice on x pays with tok_visa
  post alice p1 "#BuyShirt" → pending
  change Shirt price to 20.00 USD
  post alice p2 "#ConfirmShirt" → confirmed
  card alice tok_other
  charge alice Shirt is $15.00 on tok_visa
# Stock stays held until the provider's final word, however long.
story: an unknown answer holds the unit
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says unknown to alice Shirt
  after 3 days
  tick → 0 freed
  purchase alice Shirt is capturing
  gateway says paid to alice Shirt
  stock Shirt: 0 available, 0 held, 1 sold
story: a final decline frees the unit and tells nobody why
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says declined to alice Shirt
  purchase alice Shirt is declined
  stock Shirt: 1 available, 0 held, 0 sold
  reply to p2 says "could not be completed and nothing was charged"
  reply to p2 never says "declined"
# A lost create: a new attempt, numbered. All attempts are kept.
story: a lost attempt is followed by a new one
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says lost to alice Shirt
  attempts alice Shirt: lost, new
  gateway says lost to alice Shirt, attempt 1
  attempts alice Shirt: lost, new
  gateway says created to alice Shirt, attempt 1
  attempts alice Shirt: lost, new
  gateway says declined to alice Shirt, attempt 1
  purchase alice Shirt is capturing
  gateway says created to alice Shirt
  gateway says paid to alice Shirt
  attempts alice Shirt: lost, paid
# A success on a purchase already closed is refunded by itself and never becomes an order.
story: a late success on a closed purchase
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says lost to alice Shirt
  gateway says declined to alice Shirt
  gateway says paid to alice Shirt, attempt 1
  given back alice Shirt: $15.00 pending by itself
  order alice Shirt is none
  bank gives back to alice Shirt
  purchase alice Shirt is declined
story: a second success is given back; the first can still be refunded
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says lost to alice Shirt
  gateway says paid to alice Shirt
  gateway says paid to alice Shirt, attempt 1
  given back alice Shirt: $15.00 pending by itself
  bank gives back to alice Shirt
  refund alice Shirt
  bank gives back to alice Shirt
  purchase alice Shirt is refunded
story: answers that come twice change nothing
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  gateway says paid to alice Shirt
  gateway says declined to alice Shirt
  purchase alice Shirt is paid
  stock Shirt: 0 available, 0 held, 1 sold
# Cancelling while capturing is refused.
story: cancelling
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  cancel alice Shirt → refused: gateway
  gateway says paid to alice Shirt
  cancel alice Shirt → refused: refund it
# pending + succeeded ≤ captured; refunded only at the full sum.
story: refunds in parts
  offer Shirt: #BuyShirt, 15.00 USD, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  refund alice Shirt → refused: not charged yet
  gateway says paid to alice Shirt
  refund alice Shirt 10.00
  refund alice Shirt 5.01 → refused: from 1 to 500
  refund alice Shirt 5.00 
  refund alice Shirt → refused: already
  bank gives back to alice Shirt
  purchase alice Shirt is paid
  bank refuses alice Shirt
  refund alice Shirt
  bank is unsure of alice Shirt
  bank gives back to alice Shirt
  purchase alice Shirt is refunded
story: an order is shipped and delivered once; not after a refund
  offer Shirt: #BuyShirt, 15.00 USD, 2 in stock, limit 2
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  deliver alice Shirt → refused: not shipped
  ship alice Shirt
  ship alice Shirt → refused: already
  deliver alice Shirt
  order alice Shirt is delivered to US
  post alice p3 "#BuyShirt" → pending
  post alice p4 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  refund alice Shirt
  ship alice Shirt → refused: refunded in full
# A success on a purchase already closed is refunded by itself and never becomes an order.
story: a charge that succeeds after a decline is given back
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says declined to alice Shirt
  gateway says paid to alice Shirt, attempt 1
  purchase alice Shirt is declined
  given back alice Shirt: $15.00 pending by itself
  bank gives back to alice Shirt
  stock Shirt: 1 available, 0 held, 0 sold
