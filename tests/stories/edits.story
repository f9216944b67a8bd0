# A hold keeps price, currency, window and terms of its moment; changes make a new version; the order shows which.

story: price, title and where it ships, changed while it is held
  offer Shirt: #BuyShirt, 15.00 USD, 5 in stock, ships to US
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  change Shirt price to 20.00 USD
  change Shirt to ship to CA
  post bob p2 "#BuyShirt" → cannot_ship
  post alice p3 "#ConfirmShirt" → confirmed
  charge alice Shirt is $15.00 on tok_visa
  gateway says paid to alice Shirt
  order alice Shirt shows version 1, Shirt, $15.00
story: a later buyer gets the later version
  offer Shirt: #BuyShirt, 15.00 USD, 5 in stock
  buyer alice on x
  change Shirt price to 20.00 USD
  post alice p1 "#BuyShirt" → pending
  post alice p2 "#ConfirmShirt" → confirmed
  gateway says paid to alice Shirt
  order alice Shirt shows version 2, Shirt, $20.00
story: a window that is changed while it is held
  offer Shirt: #BuyShirt, 5 in stock, window 15 minutes
  buyer alice on x
  post alice p1 "#BuyShirt" → pending
  change Shirt window to 1 minute
  sent p1
  after 15 minutes
  post alice p2 "#ConfirmShirt" → confirmed
story: the currency stays
  offer Shirt: #BuyShirt, 15.00 USD
  change Shirt price to 20.00 EUR → refused: cannot change
story: less than is held and sold is refused with the figures
  offer Shirt: #BuyShirt, 5 in stock
  buyer alice on x
  buyer bob on x
  post alice p1 "#BuyShirt" → pending
  post bob p2 "#BuyShirt" → pending
  post bob p3 "#ConfirmShirt" → confirmed
  gateway says paid to bob Shirt
  change Shirt stock to 1 → refused: must be at least 2: 1 are held and 1 sold
