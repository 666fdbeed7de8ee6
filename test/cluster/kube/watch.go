package main

import (
	"log"
	"os"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

// connect uses the kubeconfig that the first argument names.
func connect() (*kubernetes.Clientset, informers.SharedInformerFactory) {
	config, err := clientcmd.BuildConfigFromFlags("", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(config)
	return client, informers.NewSharedInformerFactory(client, 10*time.Second)
}

// changes of what the informers see; many at once are one. What failed is tried again at the next resync.
func changes(factory informers.SharedInformerFactory, of ...cache.SharedIndexInformer) <-chan struct{} {
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for _, informer := range of {
		informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    func(any) { notify() },
			UpdateFunc: func(any, any) { notify() },
			DeleteFunc: func(any) { notify() },
		})
	}
	factory.Start(nil)
	factory.WaitForCacheSync(nil)
	return changed
}
