# Deleting the purchase post before confirming cancels the purchase; later it changes nothing.
story: deleted before confirming
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  delete p1
  purchase alice Shirt is cancelled
  stock Shirt: 1 available, 0 held, 0 sold
  post alice p2 "#ConfirmShirt" → nothing_to_confirm
story: deleted after confirming
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  delete p1
  purchase alice Shirt is capturing
  gateway says paid to alice Shirt
  delete p2
  purchase alice Shirt is paid
story: deleting the confirmation changes nothing
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  delete p2
  purchase alice Shirt is capturing
story: deleting a post that only met a hold changes nothing
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#BuyShirt" → already_pending
  delete p2
  purchase alice Shirt is pending
story: deleted twice, and delivered again
  offer Shirt: #BuyShirt, 1 in stock
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  delete p1
  delete p1
  post alice p1 "#BuyShirt" → pending, repeated
  stock Shirt: 1 available, 0 held, 0 sold
